// How a file is sent: small files as part of a form, large ones apart from it, so that they can be paused and resumed.

import { requestOrFail, renewSession } from "../site/api.js";

export const LARGE_BYTES = 16 * 1024 ** 2;

// Loaded when there is a large file to send: most visits need neither.
const WAYS = {
  bucket: () => import("./bucketupload.js"),
  tus: () => import("./tusupload.js"),
};

/** The watch site's client of the API, for uploads. After the session has ended, it rejects with a 401 ApiError. */
export const client = {
  post: (path, body) => requestOrFail("POST", path, body),
  renew: renewSession,
  headers: () => ({}),
};

/** `kind`: bucket or tus; `options`: see DirectUpload. */
export async function openUpload(kind, file, options) {
  const { Upload } = await WAYS[kind]();
  return new Upload(file, options);
}

/** Deletes what has arrived of an upload, of which only its record is known. */
export async function discardUpload(record) {
  const { discard } = await WAYS[record.kind]();
  await discard(record, client);
}
