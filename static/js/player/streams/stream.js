// The parts that all streams share: reopening at the same position, and trying again after errors.

import { ApiError, request } from "../../site/api.js";

const RETRY_DELAYS_MS = [1000, 2000, 4000, 8000, 15_000];
const MAX_RENEWALS = 3;
const CONNECTION_LOST = "The connection was lost. Trying again…";
const GIVEN_UP = "The film could not be loaded. Check your connection.";

/**
 * `listener`: {onQualities({names, current, chosen}), onLanguages(tracks, chosen), onCaptions(tracks, chosen),
 * onCaptionTrack(TextTrack or null), onHint(sentence or null), onFailure(sentence)}; `tracks` are
 * [{value, label, language}], `chosen` the value of one of them, or null.
 */
export class Stream {
  #retries = 0;
  #renewals = 0;
  #timer = null;
  #again = null;
  #isRenewing = false;
  #listening = new AbortController();

  constructor(video, url, listener) {
    Object.assign(this, { video, url, listener, startPosition: 0 });
    window.addEventListener("online", () => this.#onOnline(), { signal: this.#listening.signal });
  }

  /** The current position; before the film is loaded, the position from which it will start. */
  get position() {
    return this.video.readyState > 0 ? this.video.currentTime : this.startPosition;
  }

  reportHealthy() {
    if (!this.#retries && !this.#renewals) return;
    this.#retries = 0;
    this.#renewals = 0;
    this.listener.onHint(null);
  }

  retryLater(again) {
    if (this.#timer !== null) return;
    if (this.#retries >= RETRY_DELAYS_MS.length) {
      this.fail(GIVEN_UP);
      return;
    }
    this.listener.onHint(CONNECTION_LOST);
    this.#again = again;
    this.#timer = setTimeout(() => this.#retry(), RETRY_DELAYS_MS[this.#retries++]);
  }

  #retry() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#again();
  }

  /** When the connection is back, the next attempt does not wait for its timer. */
  #onOnline() {
    if (this.#timer === null) return;
    this.#retries = 0;
    this.#retry();
  }

  /**
   * Reopens the stream by a new master playlist. The media addresses in playlists carry a grant that expires, and the
   * files of an old version are removed. Asking for the playlist through the API also renews an expired session.
   */
  async renew() {
    if (this.#isRenewing) return;
    if (this.#renewals++ >= MAX_RENEWALS) {
      this.fail("The server no longer lets this film play.");
      return;
    }
    this.#isRenewing = true;
    try {
      await request("GET", this.url);
      this.reopen();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status && error.status < 500) this.fail(error.message);
      else this.retryLater(() => this.renew());
    } finally {
      this.#isRenewing = false;
    }
  }

  reopen() {
    const wasPlaying = !this.video.paused;
    this.open(this.position);
    const goOn = () => this.video.play().catch(() => {});
    if (wasPlaying) this.video.addEventListener("loadedmetadata", goOn, { once: true });
  }

  fail(sentence) {
    this.startPosition = this.position;
    this.close();
    this.listener.onFailure(sentence);
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#listening.abort();
  }
}

/** 401: the session has expired; 403: the grant has expired; 404, 410: this version of the film was replaced. */
export const isRefusal = (status) => status === 401 || status === 403 || status === 404 || status === 410;
