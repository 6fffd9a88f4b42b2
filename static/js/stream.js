// A film as a stream in a <video>: hls.js where Media Source Extensions exist, the browser's own HLS elsewhere (iOS).

import { ApiError, request } from "./api.js";
import { recall, remember } from "./store.js";

// Without testBandwidth a film begins in the quality that the first guess allows. With it, the first seconds would
// always be shown in the lowest one, because one small part is too little to measure by.
const CONFIG = { startLevel: -1, testBandwidth: false, capLevelToPlayerSize: true, backBufferLength: 60 };
const BANDWIDTH = "videoflix.bits_per_second";
const GUESS_MBPS = 2;
// In seconds. Before the first play little is fetched: the page may only be looked at, and what is buffered in a low
// quality, before the connection is known, would be seen for that long.
const WAITING_BUFFER = { maxBufferLength: 8, maxMaxBufferLength: 8 };
const PLAYING_BUFFER = { maxBufferLength: 30, maxMaxBufferLength: 60 };
const RETRY_DELAYS_MS = [1000, 2000, 4000, 8000, 15_000];
const MOST_RENEWALS = 3;
const CONNECTION_LOST = "The connection was lost. Trying again…";
const UNPLAYABLE = "This browser could not play the film.";

/** `listener`: {onQualities({names, current, chosen}), onHint(sentence or null), onFailure(sentence)} */
export function openStream(video, url, position, listener) {
  const Kind = window.Hls?.isSupported() ? HlsStream : NativeStream;
  const stream = new Kind(video, url, listener);
  stream.open(position);
  return stream;
}

/** What this connection gave last time, else what the browser believes of it, in bits per second. */
function expectedBandwidth() {
  return Number(recall(BANDWIDTH)) || (navigator.connection?.downlink || GUESS_MBPS) * 1e6;
}

/** What both have in common: giving the film back its place, and how often to try again. */
class Stream {
  #retries = 0;
  #renewals = 0;
  #timer = null;
  #isRenewing = false;

  constructor(video, url, listener) {
    Object.assign(this, { video, url, listener, startPosition: 0 });
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
      this.fail("The film could not be loaded. Check your connection.");
      return;
    }
    this.listener.onHint(CONNECTION_LOST);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      again();
    }, RETRY_DELAYS_MS[this.#retries++]);
  }

  /**
   * The media addresses in the playlists carry a grant that expires, and an old version of a film goes away: a new
   * master playlist has new addresses. Asking for it through the API renews the session as well if need be.
   */
  async renew() {
    if (this.#isRenewing) return;
    if (this.#renewals++ >= MOST_RENEWALS) {
      this.fail("The server does not let the film play on.");
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
  }
}

class HlsStream extends Stream {
  #hls = null;
  #chosen = null;
  #hasRecovered = false;

  open(position) {
    const { Hls } = window;
    this.startPosition = position;
    this.#hls?.destroy();
    const start = { startPosition: position || -1, abrEwmaDefaultEstimate: expectedBandwidth() };
    this.#hls = new Hls({ ...CONFIG, ...WAITING_BUFFER, ...start });
    this.#hls.on(Hls.Events.MANIFEST_PARSED, () => this.choose(this.#chosen));
    this.#hls.on(Hls.Events.LEVEL_SWITCHED, () => this.#announce());
    this.#hls.on(Hls.Events.FRAG_BUFFERED, () => this.#onBuffered());
    this.#hls.on(Hls.Events.ERROR, (_, error) => this.#onError(error));
    this.#hls.loadSource(this.url);
    this.#hls.attachMedia(this.video);
    this.video.addEventListener("play", () => Object.assign(this.#hls?.config ?? {}, PLAYING_BUFFER), { once: true });
  }

  close() {
    super.close();
    this.#hls?.destroy();
    this.#hls = null;
  }

  /** A quality by its name, or null for the one that fits best at any moment. */
  choose(name) {
    this.#chosen = name;
    // The part that is playing is kept, the next one comes in the new quality.
    this.#hls.nextLevel = this.#hls.levels.findIndex((level) => nameOf(level) === name);
    this.#announce();
  }

  #announce() {
    const { levels, currentLevel } = this.#hls;
    const names = [...levels].sort((a, b) => b.height - a.height || b.bitrate - a.bitrate).map(nameOf);
    const current = levels[currentLevel] ? nameOf(levels[currentLevel]) : null;
    this.listener.onQualities({ names: [...new Set(names)], current, chosen: this.#chosen });
  }

  #onBuffered() {
    this.reportHealthy();
    remember(BANDWIDTH, Math.round(this.#hls.bandwidthEstimate));
  }

  #onError({ fatal, type, response }) {
    const { NETWORK_ERROR, MEDIA_ERROR } = window.Hls.ErrorTypes;
    if (type === NETWORK_ERROR && isRefusal(response?.code)) this.renew();
    else if (fatal && type === NETWORK_ERROR) this.retryLater(() => this.#loadAgain());
    else if (fatal && type === MEDIA_ERROR && !this.#hasRecovered) this.#recover();
    else if (fatal) this.fail(UNPLAYABLE);
  }

  #loadAgain() {
    if (this.#hls.levels.length) this.#hls.startLoad(this.position);
    else this.reopen();
  }

  #recover() {
    this.#hasRecovered = true;
    this.#hls.recoverMediaError();
  }
}

/** 401: the session is to be renewed; 403: an expired grant; 404, 410: a version that has been replaced. */
const isRefusal = (status) => status === 401 || status === 403 || status === 404 || status === 410;

/** "720p" from …/720p.m3u8, else from the short side, by which rungs are named. */
function nameOf(level) {
  const [, name] = /(\d+p)\.m3u8(?:$|\?)/.exec(level.url[0] ?? "") ?? [];
  return name ?? `${Math.min(level.width, level.height)}p`;
}

class NativeStream extends Stream {
  #abort = null;

  open(position) {
    this.#abort?.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const seek = () => {
      if (position) this.video.currentTime = position;
    };
    this.startPosition = position;
    this.video.addEventListener("loadedmetadata", seek, { once: true, signal });
    this.video.addEventListener("playing", () => this.reportHealthy(), { signal });
    this.video.addEventListener("error", () => this.#onError(), { signal });
    this.video.src = this.url;
  }

  close() {
    super.close();
    this.#abort?.abort();
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** The browser picks the quality by itself and cannot be told. */
  choose() {}

  /** It does not say what the server answered: asking for the playlist does. */
  #onError() {
    this.renew();
  }
}
