// Uploads a file to the bucket in parts: the server signs each request, and the bytes go straight to the storage.

import { DirectUpload, isGone, storageError } from "./directupload.js";

const SIGN = "/api/v1/upload/videos/sign/";
const MEGABYTE = 1024 ** 2;
const MIN_PART_BYTES = 8 * MEGABYTE;
// A storage lists at most 1000 parts per request. With no more parts, one request tells which have arrived.
const MAX_PARTS = 1000;
const PARALLEL_PARTS = 3;

/** Depends on the size of the file alone, so that a resumed upload is cut into the same parts as before. */
const partBytes = ({ size }) => Math.max(MIN_PART_BYTES, Math.ceil(size / MAX_PARTS / MEGABYTE) * MEGABYTE);

export class Upload extends DirectUpload {
  #parts = []; // {number, from, to, sent, etag}

  async send() {
    this.#parts = partsOf(this.file);
    if (!(await this.#resumeParts())) await this.#begin();
    const waiting = this.#parts.filter(({ etag }) => !etag);
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, () => this.#sendFrom(waiting)));
    await this.#complete();
  }

  discard() {
    return discard(this.record, this.client);
  }

  /** Resolves to false when there is no earlier upload to continue. */
  async #resumeParts() {
    if (!this.record) return false;
    try {
      const parts = await this.persist((signal) => this.#list(signal));
      for (const { number, etag, size } of parts) {
        const part = this.#parts[number - 1];
        if (part && part.to - part.from === size) Object.assign(part, { etag, sent: size });
      }
    } catch (error) {
      if (!isGone(error) && error.code !== "NoSuchUpload") throw error;
      this.record = null;
      return false;
    }
    this.showResumePoint(this.#sent());
    this.#reportProgress();
    return true;
  }

  async #list(signal) {
    const { url } = await this.#sign("GET");
    const parts = parse(await ask("GET", url, { signal })).getElementsByTagName("Part");
    return [...parts].map((part) => ({
      number: Number(textOf(part, "PartNumber")),
      size: Number(textOf(part, "Size")),
      etag: textOf(part, "ETag"),
    }));
  }

  #begin() {
    // Not aborted by the signal: without its upload id, the upload could not be deleted later.
    return this.persist(async () => {
      const { name, size } = this.file;
      const { url, key } = await this.client.post(SIGN, {
        method: "POST",
        key: name.slice(-200),
        size,
        video_id: this.videoId,
      });
      const uploadId = textOf(parse(await ask("POST", url)), "UploadId");
      this.keep({ kind: "bucket", key, uploadId });
    });
  }

  async #sendFrom(waiting) {
    for (let part = waiting.shift(); part; part = waiting.shift()) {
      const sending = part;
      sending.etag = await this.persist((signal, onGoing) => this.#sendPart(sending, signal, onGoing));
      sending.sent = sending.to - sending.from;
      this.#reportProgress();
    }
  }

  async #sendPart(part, signal, onGoing) {
    const { url } = await this.#sign("PUT", { partNumber: part.number });
    onGoing();
    const onProgress = (bytes) => {
      part.sent = bytes;
      this.#reportProgress();
      onGoing();
    };
    try {
      return await put(url, this.file.slice(part.from, part.to), { signal, onProgress });
    } catch (error) {
      part.sent = 0;
      throw error;
    }
  }

  #complete() {
    let isRepeated = false;
    return this.persist(async (signal) => {
      try {
        const { url } = await this.#sign("POST");
        const text = await ask("POST", url, { signal, body: completion(this.#parts) });
        // The storage answers 200 before it is done, and reports a late error in the body.
        if (text.includes("<Error>")) throw storageError(500, text);
      } catch (error) {
        // The upload is gone because the first attempt completed it and only its answer was lost.
        if (isRepeated && (error.code === "upload_gone" || error.code === "NoSuchUpload")) return;
        isRepeated = true;
        throw error;
      }
    });
  }

  #sign(method, more = {}) {
    const { key, uploadId } = this.record;
    return this.client.post(SIGN, { method, key, uploadId, ...more });
  }

  #sent() {
    return this.#parts.reduce((sum, { sent }) => sum + sent, 0);
  }

  #reportProgress() {
    this.measure(this.#sent());
  }
}

/** Aborts the upload that this record describes. */
export async function discard({ key, uploadId }, client) {
  const { url } = await client.post(SIGN, { method: "DELETE", key, uploadId });
  await ask("DELETE", url);
}

function partsOf(file) {
  const bytes = partBytes(file);
  return Array.from({ length: Math.ceil(file.size / bytes) }, (_, index) => ({
    number: index + 1,
    from: index * bytes,
    to: Math.min(file.size, (index + 1) * bytes),
    sent: 0,
    etag: null,
  }));
}

function completion(parts) {
  const listed = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  return `<CompleteMultipartUpload>${listed.join("")}</CompleteMultipartUpload>`;
}

const parse = (text) => new DOMParser().parseFromString(text, "application/xml");
const textOf = (node, tag) => node.getElementsByTagName(tag)[0]?.textContent ?? "";

/** Resolves to the text of the storage's answer. */
async function ask(method, url, { signal, body } = {}) {
  let response = null;
  try {
    response = await fetch(url, { method, body, signal, credentials: "omit", cache: "no-store" });
  } catch {
    throw storageError(0, "");
  }
  const text = await response.text();
  if (!response.ok) throw storageError(response.status, text);
  return text;
}

/** Resolves to the ETag. Uses XMLHttpRequest because fetch does not report the progress of an upload. */
function put(url, body, { signal, onProgress }) {
  const request = new XMLHttpRequest();
  const stop = () => request.abort();
  return new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => {
      const etag = request.getResponseHeader("ETag");
      if (request.status === 200 && etag) resolve(etag);
      else reject(storageError(request.status, request.responseText));
    };
    request.onerror = request.onabort = () => reject(storageError(0, ""));
    request.open("PUT", url);
    signal.addEventListener("abort", stop);
    if (signal.aborted) reject(storageError(0, ""));
    else request.send(body);
  }).finally(() => signal.removeEventListener("abort", stop));
}
