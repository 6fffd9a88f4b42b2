// Checks a chosen file before it is sent; pure.

import { size } from "../site/format.js";

/** Returns why this file cannot be sent, as a sentence; null when it can. */
export function objectionTo(file, { fileTypes, maxBytes }) {
  const extension = file.name.slice(file.name.lastIndexOf(".")).toLowerCase();
  if (!fileTypes.includes(extension)) {
    return `“${file.name}” does not look like a video. Choose one of: ${fileTypes.join(", ")}.`;
  }
  if (file.size === 0) return `“${file.name}” is empty.`;
  if (file.size > maxBytes) {
    return `“${file.name}” is ${size(file.size)} large; the limit is ${size(maxBytes)}.`;
  }
  return null;
}

/** The limits that the data attributes of an element state. */
export const limitsOf = ({ fileTypes, maxUploadMb }) => ({
  fileTypes: fileTypes.split(","),
  maxBytes: Number(maxUploadMb) * 1024 ** 2,
});
