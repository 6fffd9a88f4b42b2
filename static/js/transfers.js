// Which way a file takes: small ones go as a form, large ones beside it, so that they can be paused and gone on with.

import { requestOrFail, renewSession } from "./api.js";

export const LARGE_BYTES = 16 * 1024 ** 2;

// Loaded when a large file is there: most visits of a page need neither.
const WAYS = {
  bucket: () => import("./bucketupload.js"),
  tus: () => import("./tusupload.js"),
};

/** How scripts of this site's pages speak to the server; a session that is over is an ApiError 401. */
export const door = {
  post: (path, body) => requestOrFail("POST", path, body),
  renew: renewSession,
  headers: () => ({}),
};

/** `kind`: bucket or tus; for the rest see DirectUpload. */
export async function openUpload(kind, file, options) {
  const { Upload } = await WAYS[kind]();
  return new Upload(file, options);
}

/** Give up an upload that only its record is left of. */
export async function discardUpload(record, itsDoor = door) {
  const { discard } = await WAYS[record.kind]();
  await discard(record, itsDoor);
}
