// Uploads a file in chunks by tus to this site itself, where media lie in a folder. tus-js-client speaks the protocol;
// DirectUpload decides when to try again and how to continue later, as for every upload.

import { errorFrom, ownPath } from "../site/api.js";
import { DirectUpload, isGone, storageError } from "./directupload.js";

const ENDPOINT = new URL("/api/v1/upload/tus/", location.origin).href;
const CHUNK_BYTES = 16 * 1024 ** 2;
const SCRIPT = new URL("../../vendor/tus-js-client/4.3.1/tus.min.js", import.meta.url).href;

export class Upload extends DirectUpload {
  #tus;

  async send() {
    this.#tus = await this.persist(loadTus);
    const begunBefore = Boolean(this.record);
    try {
      await this.persist((signal, onGoing) => this.#attempt(signal, onGoing, begunBefore));
    } catch (error) {
      if (!begunBefore || !isGone(error)) throw error;
      this.record = null;
      await this.persist((signal, onGoing) => this.#attempt(signal, onGoing, false));
    }
  }

  discard() {
    return discard(this.record, this.client);
  }

  /** Sends everything that the server does not have yet. */
  #attempt(signal, onGoing, isContinued) {
    let hasShownResumePoint = !isContinued;
    return new Promise((resolve, reject) => {
      const upload = new this.#tus.Upload(this.file, {
        ...this.#where(),
        chunkSize: CHUNK_BYTES,
        metadata: this.#metadata(),
        headers: this.client.headers(),
        retryDelays: null,
        storeFingerprintForResuming: false,
        onAfterResponse: (request, response) => this.#noteBegin(request, response),
        onProgress: (sent) => {
          if (!hasShownResumePoint) this.showResumePoint(sent);
          hasShownResumePoint = true;
          this.measure(sent);
          onGoing();
        },
        onSuccess: resolve,
        onError: (error) => reject(errorOf(error)),
      });
      const stop = () => upload.abort().then(() => reject(storageError(0, "")));
      // The first request is never aborted: without the upload's address it could not be deleted later.
      signal.addEventListener("abort", () => this.record && stop());
      upload.options.onUploadUrlAvailable = () => {
        upload.url = this.record.url; // on this page's origin, even if the server names another
        if (signal.aborted) stop();
      };
      upload.start();
    });
  }

  #metadata() {
    const { name, type } = this.file;
    const replaced = this.videoId === null ? {} : { video_id: String(this.videoId) };
    return { filename: name, filetype: type || "application/octet-stream", ...replaced };
  }

  /** No endpoint for a known upload: tus-js-client would begin a new one whenever it cannot ask for the offset. */
  #where() {
    return this.record ? { uploadUrl: this.record.url } : { endpoint: ENDPOINT };
  }

  #noteBegin(request, response) {
    if (request.getMethod() !== "POST" || response.getStatus() !== 201) return;
    const { key } = JSON.parse(response.getBody());
    this.keep({ kind: "tus", key, url: ownPath(response.getHeader("Location")) });
  }
}

/** Deletes the upload that this record describes. */
export async function discard({ url }, client) {
  await fetch(url, {
    method: "DELETE",
    credentials: "same-origin",
    headers: { "Tus-Resumable": "1.0.0", ...client.headers() },
  });
}

function errorOf(error) {
  const response = error.originalResponse;
  if (!response) return storageError(0, "");
  const refusal = errorFrom(response.getStatus(), response.getBody());
  // The server has more or less than this page believes: the next attempt asks for the offset again.
  return refusal.code === "wrong_offset" ? storageError(0, "") : refusal;
}

let loading = null;

function loadTus() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = SCRIPT;
    script.onload = () => resolve(window.tus);
    script.onerror = () => {
      loading = null;
      reject(storageError(0, ""));
    };
    document.head.append(script);
  });
  return loading;
}
