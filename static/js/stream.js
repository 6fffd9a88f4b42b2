// What every kind of stream has in common: giving the film back its place, and how often to try again.

import { ApiError, request } from "./api.js";

const RETRY_DELAYS_MS = [1000, 2000, 4000, 8000, 15_000];
const MOST_RENEWALS = 3;
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

  /** Before the film's length is known, the place it was to start from is where it is. */
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

  /** Whoever waits for the connection is not kept waiting for a timer as well. */
  #onOnline() {
    if (this.#timer === null) return;
    this.#retries = 0;
    this.#retry();
  }

  /**
   * The media addresses in the playlists carry a grant that expires, and an old version of a film goes away: a new
   * master playlist has new addresses. Asking for it through the API renews the session as well if need be.
   */
  async renew() {
    if (this.#isRenewing) return;
    if (this.#renewals++ >= MOST_RENEWALS) {
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

/** 401: the session is to be renewed; 403: an expired grant; 404, 410: a version that has been replaced. */
export const isRefusal = (status) => status === 401 || status === 403 || status === 404 || status === 410;
