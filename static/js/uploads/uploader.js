// Sends one file with a form by XMLHttpRequest, because fetch does not report the progress of an upload.

import { ApiError, errorFrom, renewSession } from "../site/api.js";

const RENEW_EVERY_MS = 4 * 60_000;
const BROKEN = "The connection broke before the whole file had arrived. Nothing was kept; please try again.";

export class Cancelled extends Error {}

/**
 * Runs `work` with a fresh session, because the server checks the access cookie when a request begins. A timer keeps
 * the session alive during a long upload, so that the page can ask for the film's state afterwards.
 */
export async function withSession(work) {
  if (!(await renewSession())) throw new ApiError(401, "not_authenticated", "Your session has ended.");
  const keepAlive = setInterval(() => renewSession().catch(() => {}), RENEW_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(keepAlive);
  }
}

/** A form with a file, in one request. */
export class Transfer {
  #request = new XMLHttpRequest();
  #isCancelled = false;

  /**
   * Resolves to the video: a new one, or the one at `path` that PATCH has changed.
   * `onProgress({sent, total, bytesPerSecond, secondsLeft})`
   */
  send(form, onProgress, { method = "POST", path = "/api/v1/videos/" } = {}) {
    return withSession(() => {
      if (this.#isCancelled) throw new Cancelled();
      return this.#send(form, onProgress, method, path);
    });
  }

  cancel() {
    this.#isCancelled = true;
    this.#request.abort();
  }

  #send(form, onProgress, method, path) {
    const request = this.#request;
    const meter = new Meter();
    return new Promise((resolve, reject) => {
      request.upload.onprogress = ({ loaded, total }) => onProgress(meter.measure(loaded, total));
      request.onabort = () => reject(new Cancelled());
      request.onerror = () => reject(new ApiError(0, "broken", BROKEN));
      request.onload = () => {
        const { status, responseText } = request;
        if (status === 201 || status === 200) resolve(JSON.parse(responseText));
        else reject(errorFrom(status, responseText));
      };
      request.open(method, path);
      request.send(form);
    });
  }
}

/** Measures the speed over the last ten seconds: an average since the start lags, a single step jumps. */
export class Meter {
  #samples = [];

  measure(sent, total) {
    const now = performance.now();
    this.#samples.push({ now, sent });
    while (this.#samples.length > 2 && now - this.#samples[0].now > 10_000) this.#samples.shift();
    const first = this.#samples[0];
    const seconds = (now - first.now) / 1000;
    const bytesPerSecond = seconds > 0.5 ? (sent - first.sent) / seconds : null;
    return { sent, total, bytesPerSecond, secondsLeft: bytesPerSecond ? (total - sent) / bytesPerSecond : null };
  }
}
