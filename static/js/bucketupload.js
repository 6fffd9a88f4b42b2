// A file in parts into the bucket: the server signs each request, the bytes go straight to the storage.

import { DirectUpload, isGone, storageError } from "./directupload.js";

const SIGN = "/api/v1/upload/videos/sign/";
const MEGABYTE = 1024 ** 2;
const LEAST_PART_BYTES = 8 * MEGABYTE;
// As many as a storage lists at once: what has arrived is known by one question.
const MOST_PARTS = 1000;
const AT_ONCE = 3;

/** The same for the same file, so that an upload goes on with the parts it began with. */
const partBytes = ({ size }) => Math.max(LEAST_PART_BYTES, Math.ceil(size / MOST_PARTS / MEGABYTE) * MEGABYTE);

export class Upload extends DirectUpload {
  #parts = []; // {number, from, to, sent, etag}

  async send() {
    this.#parts = partsOf(this.file);
    if (!(await this.#goOn())) await this.#begin();
    const waiting = this.#parts.filter(({ etag }) => !etag);
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#sendFrom(waiting)));
    await this.#complete();
  }

  discard() {
    return discard(this.record, this.door);
  }

  /** False when there is nothing to go on from. */
  async #goOn() {
    if (!this.record) return false;
    try {
      const parts = await this.persist((signal) => this.#list(signal));
      for (const { number, etag, size } of parts) this.#take(this.#parts[number - 1], etag, size);
    } catch (error) {
      if (!isGone(error) && error.code !== "NoSuchUpload") throw error;
      this.record = null;
      return false;
    }
    this.showWhereItGoesOn(this.#sent());
    this.#tell();
    return true;
  }

  #take(part, etag, size) {
    if (part && part.to - part.from === size) Object.assign(part, { etag, sent: size });
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
    // Not to be interrupted: without its upload id what was begun could not be given up.
    return this.persist(async () => {
      const { name, size } = this.file;
      const { url, key } = await this.door.post(SIGN, {
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
      this.#tell();
    }
  }

  async #sendPart(part, signal, onGoing) {
    const { url } = await this.#sign("PUT", { partNumber: part.number });
    onGoing();
    const onProgress = (bytes) => {
      part.sent = bytes;
      this.#tell();
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
        // An answer begins before the storage knows how it ends.
        if (text.includes("<Error>")) throw storageError(500, text);
      } catch (error) {
        // Its answer was lost on the way: it is done.
        if (isRepeated && (error.code === "upload_gone" || error.code === "NoSuchUpload")) return;
        isRepeated = true;
        throw error;
      }
    });
  }

  #sign(method, more = {}) {
    const { key, uploadId } = this.record;
    return this.door.post(SIGN, { method, key, uploadId, ...more });
  }

  #sent() {
    return this.#parts.reduce((sum, { sent }) => sum + sent, 0);
  }

  #tell() {
    this.measure(this.#sent());
  }
}

/** Give up what this record tells of. */
export async function discard({ key, uploadId }, door) {
  const { url } = await door.post(SIGN, { method: "DELETE", key, uploadId });
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

/** The text of the storage's answer. */
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

/** By XMLHttpRequest, which (other than fetch) tells how far it is. Resolves to the ETag. */
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
