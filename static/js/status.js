// What a film that is not ready is waiting for, in words, with progress and a way to try again.

import { get, post } from "./api.js";
import { el, say } from "./dom.js";
import { timeLeft } from "./format.js";

const LONG_WAIT_MS = 15_000;
const QUEUE_CHECK_MS = 10_000;

export const isUnderway = (video) => video.processing_state === "pending" || video.processing_state === "processing";

const queue = { isDown: false, checkedAt: 0 };

/** Asks the server whether the queue works, at most every ten seconds. */
async function checkQueue() {
  if (Date.now() - queue.checkedAt < QUEUE_CHECK_MS) return;
  queue.checkedAt = Date.now();
  try {
    // Health answers 503 with the same body when something is down.
    const health = await (await fetch("/health/", { cache: "no-store" })).json();
    queue.isDown = health.components?.queue !== "ok";
  } catch {
    queue.isDown = false;
  }
}

/** {title, detail, percent}: percent null means that it is not known. Pure. */
export function describe(video, circumstances = {}) {
  const said = describeState(video, circumstances);
  const isNewVersion = video.is_playable && video.processing_state !== "ready";
  return isNewVersion ? { ...said, title: `New version: ${lowered(said.title)}` } : said;
}

const lowered = (text) => text[0].toLowerCase() + text.slice(1);

function describeState(video, { waitedMs = 0, isQueueDown = false }) {
  if (video.processing_state === "processing") return describeProcessing(video);
  if (video.processing_state === "pending") return describeWaiting(waitedMs, isQueueDown);
  if (video.processing_state === "error") {
    return { title: "Could not be processed", detail: video.processing_error, percent: 0 };
  }
  return { title: "Ready to watch", detail: "", percent: 100 };
}

function describeProcessing(video) {
  const percent = video.processing_progress ?? 0;
  const left = video.processing_time_left ?? null;
  return { title: `Processing, ${percent} %`, detail: left === null ? "" : timeLeft(left), percent };
}

function describeWaiting(waitedMs, isQueueDown) {
  const title = "Waiting for a worker";
  if (waitedMs < LONG_WAIT_MS) return { title, detail: "", percent: null };
  const detail = isQueueDown
    ? "The queue cannot be reached. The film is safe and starts by itself when the queue is back."
    : "The workers are busy. It starts by itself when one is free.";
  return { title, detail, percent: null };
}

/** A live status: an element that is updated in place, so that focus and screen readers stay where they are. */
export class Status {
  #title = el("p", { class: "status-title", "data-testid": "status-title" });
  #detail = el("p", { class: "status-detail muted", "data-testid": "status-detail" });
  #bar = el("progress", { max: 100, "aria-label": "Processing", "data-testid": "status-progress" });
  #retry = el("button", { class: "button small", type: "button", "data-testid": "retry" }, "Retry");
  #waitingSince = null;
  #video = null;
  #preflight;

  /**
   * `onRetried` is called when the server has taken the film back into the queue; null: this person may not manage it.
   * `preflight`: what is to be kept up to date as well, wherever it is shown; see Preflight.
   */
  constructor(video, { onRetried = null, preflight = null } = {}) {
    this.element = el("div", { class: "status", "data-testid": "status" });
    this.element.append(this.#title, this.#bar, this.#detail, this.#retry);
    this.#retry.addEventListener("click", () => this.#tryAgain(onRetried));
    this.mayManage = onRetried !== null;
    this.#preflight = preflight;
    this.update(video);
  }

  update(video) {
    this.#followPreflight(video);
    this.#video = video;
    const { title, detail, percent } = describe(video, { waitedMs: this.#waited(video), isQueueDown: queue.isDown });
    this.element.dataset.state = video.processing_state;
    this.#title.textContent = title;
    say(this.#detail, detail);
    this.#showPercent(percent);
    this.#bar.hidden = !isUnderway(video);
    this.#retry.hidden = !(this.mayManage && video.processing_state === "error");
  }

  /** What comes into the queue again may be another original. */
  #followPreflight(video) {
    const wasUnderway = this.#video !== null && isUnderway(this.#video);
    if (isUnderway(video) && !wasUnderway) this.#preflight?.forget();
    if (isUnderway(video) || wasUnderway) this.#preflight?.follow();
  }

  #showPercent(percent) {
    if (percent === null) this.#bar.removeAttribute("value");
    else this.#bar.value = percent;
  }

  #waited(video) {
    if (video.processing_state !== "pending") this.#waitingSince = null;
    else this.#waitingSince ??= Date.now();
    const waitedMs = this.#waitingSince === null ? 0 : Date.now() - this.#waitingSince;
    if (waitedMs >= LONG_WAIT_MS) checkQueue();
    return waitedMs;
  }

  async #tryAgain(onRetried) {
    this.#retry.disabled = true;
    try {
      await post(`/api/v1/videos/${this.#video.id}/retry/`);
      this.update({ ...this.#video, processing_state: "pending", processing_error: "" });
      onRetried();
    } catch (error) {
      say(this.#detail, error.message);
    } finally {
      this.#retry.disabled = false;
    }
  }
}
