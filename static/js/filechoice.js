// Whether a file that was chosen can be sent at all; pure.

import { size } from "./format.js";

/** Why not, as a sentence; null when it can. */
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

/** What the page says of it, as data attributes. */
export const limitsOf = ({ fileTypes, maxUploadMb }) => ({
  fileTypes: fileTypes.split(","),
  maxBytes: Number(maxUploadMb) * 1024 ** 2,
});
