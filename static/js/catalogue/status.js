// The state of a film that is not ready: in words, with progress, and with what helps when it has failed.

import { post, request } from "../site/api.js";
import { el, say } from "../site/dom.js";
import { length, ordinal, timeLeft } from "../site/format.js";

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

/** Returns {title, detail, percent}; percent is null when it is not known. Pure. */
export function describe(video, circumstances = {}) {
  const state = describeState(video, circumstances);
  const isNewVersion = video.is_playable && video.processing_state !== "ready";
  return isNewVersion ? { ...state, title: `New version ${lowered(state.title)}` } : state;
}

const lowered = (text) => text[0].toLowerCase() + text.slice(1);

function describeState(video, { waitedMs = 0, isQueueDown = false }) {
  if (video.processing_state === "processing") return describeProcessing(video);
  if (video.processing_state === "pending") return describeWaiting(video, { waitedMs, isQueueDown });
  if (video.processing_state === "error") {
    return { title: "Could not be processed", detail: video.processing_error, percent: 0 };
  }
  const took = video.processing_took ?? null;
  return { title: "Ready to watch", detail: took === null ? "" : tookText(took), percent: 100 };
}

function describeProcessing(video) {
  const percent = video.processing_progress ?? 0;
  const left = video.processing_time_left ?? null;
  return { title: `Processing, ${percent} %`, detail: left === null ? "" : timeLeft(left), percent };
}

/** Shown only to people who may manage the film: the server tells nobody else how long it took. */
export const tookText = (seconds) => `Processed in ${length(seconds)}`;

function describeWaiting(video, { waitedMs, isQueueDown }) {
  const isLong = waitedMs >= LONG_WAIT_MS && isQueueDown;
  const detail = isLong ? "The queue cannot be reached. The film is safe; processing starts by itself when the queue is back." : "";
  return { title: waitingText(video), detail, percent: null };
}

/** "Waiting: 3rd in the queue, about 4 min", as on the admin site. */
function waitingText({ processing_place: place = null, processing_time_left: left = null }) {
  if (place === null) return "Waiting to be processed";
  const where = place === 1 ? "next" : ordinal(place);
  return `Waiting: ${where} in the queue${left === null ? "" : `, about ${length(left)}`}`;
}

/** A live status. Its element is updated in place, so that focus and screen readers keep their place. */
export class Status {
  #title = el("p", { class: "status-title", "data-testid": "status-title" });
  #detail = el("p", { class: "status-detail muted", "data-testid": "status-detail" });
  #bar = el("progress", { max: 100, "aria-label": "Processing", "data-testid": "status-progress" });
  #retry = el("button", { class: "button small", type: "button", "data-testid": "retry" }, "Retry");
  #another = el("a", { class: "button small", "data-testid": "another-file" }, "Another file");
  #remove = el("button", { class: "button small quiet", type: "button", "data-testid": "remove" }, "Remove");
  #actions = el("p", { class: "actions" }, this.#retry, this.#another, this.#remove);
  #waitingSince = null;
  #video = null;
  #preflight;

  /**
   * `onRetried` is called when the film is back in the queue; null: this person may not manage the film.
   * `onRemoved` is called when the film is removed, to offer undo; null: another part of the page removes it.
   * `preflight`: the film's Preflight, which is kept up to date too, wherever it is shown.
   */
  constructor(video, { onRetried = null, onRemoved = null, preflight = null } = {}) {
    this.element = el("div", { class: "status", "data-testid": "status" });
    this.element.append(this.#title, this.#bar, this.#detail, this.#actions);
    this.#retry.addEventListener("click", () => this.#tryAgain(onRetried));
    this.#remove.addEventListener("click", () => this.#removeFilm(onRemoved));
    this.mayManage = onRetried !== null;
    this.#remove.hidden = onRemoved === null;
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
    this.#actions.hidden = !(this.mayManage && video.processing_state === "error");
    // Where the same file would fail again, only another file helps.
    this.#retry.hidden = !video.can_retry;
    this.#another.hidden = video.can_retry;
    this.#another.href = `/watch/${video.public_id}/#manage-file`;
  }

  /** A film may enter the queue with another original, and leave it with the earlier one when that is refused. */
  #followPreflight(video) {
    const wasUnderway = this.#video !== null && isUnderway(this.#video);
    if (isUnderway(video) !== wasUnderway) this.#preflight?.forget();
    if (isUnderway(video) || wasUnderway) this.#preflight?.follow(video);
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
      this.update({ ...this.#video, processing_state: "pending", processing_error: "", can_retry: false });
      onRetried();
    } catch (error) {
      say(this.#detail, error.message);
    } finally {
      this.#retry.disabled = false;
    }
  }

  async #removeFilm(onRemoved) {
    this.#remove.disabled = true;
    try {
      await removeFilm(this.#video);
      onRemoved();
    } catch (error) {
      say(this.#detail, error.message);
      this.#remove.disabled = false;
    }
  }
}

/** Deletes the film; it can be brought back: see farewell.js. */
export const removeFilm = ({ id }) => request("DELETE", `/api/v1/videos/${id}/`);
