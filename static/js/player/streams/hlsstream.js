// A stream that hls.js plays.

import { isRefusal, Stream } from "./stream.js";
import { recall, remember } from "../../site/store.js";

// testBandwidth is off, so that a film begins in the quality that the first guess allows. With it, the first seconds
// would always be shown in the lowest quality, because one small segment is too little to measure by.
// hls.js renders captions as <track src="data:…">, which the page's policy forbids: captions.js draws them instead.
const CONFIG = {
  startLevel: -1,
  testBandwidth: false,
  capLevelToPlayerSize: true,
  backBufferLength: 60,
  renderTextTracksNatively: false,
};
const BANDWIDTH = "videoflix.bits_per_second";
const GUESS_MBPS = 2;
// In seconds. Little is fetched before the first play: the person may only look at the page, and everything buffered in
// a low quality, before the bandwidth is known, would be shown later.
const WAITING_BUFFER = { maxBufferLength: 8, maxMaxBufferLength: 8 };
const PLAYING_BUFFER = { maxBufferLength: 30, maxMaxBufferLength: 60 };
const UNPLAYABLE = "This browser could not play the film.";
const NO_CAPTIONS = "These captions could not be loaded.";
const HINT_MS = 5000;

export class HlsStream extends Stream {
  #hls = null;
  #chosen = null;
  #hasRecovered = false;
  #cues = new Map();

  open(position) {
    const { Hls } = window;
    this.startPosition = position;
    this.#hls?.destroy();
    this.#forgetTracks();
    const start = { startPosition: position || -1, abrEwmaDefaultEstimate: expectedBandwidth() };
    this.#hls = new Hls({ ...CONFIG, ...WAITING_BUFFER, ...start });
    this.#listen(Hls.Events);
    this.#hls.loadSource(this.url);
    this.#hls.attachMedia(this.video);
    this.video.addEventListener("play", () => Object.assign(this.#hls?.config ?? {}, PLAYING_BUFFER), { once: true });
  }

  #listen(events) {
    const hls = this.#hls;
    hls.on(events.MANIFEST_PARSED, () => this.choose(this.#chosen));
    hls.on(events.LEVEL_SWITCHED, () => this.#announce());
    hls.on(events.AUDIO_TRACKS_UPDATED, () => this.#announceLanguages());
    hls.on(events.AUDIO_TRACK_SWITCHED, () => this.#announceLanguages());
    // hls.js chooses the default captions after its listeners have run, so the person's own choice has to come later.
    hls.on(events.SUBTITLE_TRACKS_UPDATED, () => queueMicrotask(() => this.#announceCaptions()));
    hls.on(events.SUBTITLE_TRACK_SWITCH, () => this.#announceCaptions());
    hls.on(events.CUES_PARSED, (_, parsed) => this.#takeCues(parsed));
    hls.on(events.FRAG_BUFFERED, () => this.#onBuffered());
    hls.on(events.ERROR, (_, error) => this.#onError(error));
  }

  close() {
    super.close();
    this.#hls?.destroy();
    this.#hls = null;
  }

  // --- Quality ---

  /** Chooses a quality by its name; null lets hls.js choose the one that fits best at any moment. */
  choose(name) {
    this.#chosen = name;
    // The segment that is playing stays; the next one comes in the new quality.
    this.#hls.nextLevel = this.#hls.levels.findIndex((level) => nameOf(level) === name);
    this.#announce();
  }

  #announce() {
    const { levels, currentLevel } = this.#hls;
    const names = [...levels].sort((a, b) => b.height - a.height || b.bitrate - a.bitrate).map(nameOf);
    const current = levels[currentLevel] ? nameOf(levels[currentLevel]) : null;
    this.listener.onQualities({ names: [...new Set(names)], current, chosen: this.#chosen });
  }

  // --- Languages and captions ---

  #forgetTracks() {
    this.#cues.clear();
    this.listener.onLanguages([], null);
    this.listener.onCaptions([], null);
    this.listener.onCaptionTrack(null);
  }

  chooseLanguage(value) {
    this.#hls.audioTrack = Number(value);
    this.#announceLanguages();
  }

  #announceLanguages() {
    const { audioTracks, audioTrack } = this.#hls;
    this.listener.onLanguages(audioTracks.map(trackOf), valueOf(audioTrack));
  }

  chooseCaptions(value) {
    this.#hls.subtitleTrack = value === null ? -1 : Number(value);
  }

  #announceCaptions() {
    if (!this.#hls) return;
    const { subtitleTracks, subtitleTrack } = this.#hls;
    this.#showCues(subtitleTrack);
    this.listener.onCaptions(subtitleTracks.map(trackOf), valueOf(subtitleTrack));
  }

  /** hls.js loads captions only once, so the parsed cues are kept for when they are chosen again. */
  #takeCues({ cues, subtitleTrack }) {
    if (!subtitleTrack) return; // CEA-608 captions inside the video stream are not offered
    this.#cues.set(subtitleTrack.id, [...(this.#cues.get(subtitleTrack.id) ?? []), ...cues]);
    if (subtitleTrack.id === this.#hls.subtitleTrack) this.#showCues(subtitleTrack.id);
  }

  #showCues(id) {
    const track = ownTrack(this.video);
    track.mode = "hidden"; // a disabled track has no list of cues
    for (const cue of [...track.cues]) track.removeCue(cue);
    for (const cue of this.#cues.get(id) ?? []) track.addCue(cue);
    this.listener.onCaptionTrack(id === -1 ? null : track);
  }

  // --- Progress and errors ---

  #onBuffered() {
    this.reportHealthy();
    remember(BANDWIDTH, Math.round(this.#hls.bandwidthEstimate));
  }

  #onError({ fatal, type, details, response, frag }) {
    const { NETWORK_ERROR, MEDIA_ERROR } = window.Hls.ErrorTypes;
    if (frag?.type === "subtitle" || details?.startsWith("subtitle")) this.#doWithoutCaptions();
    else if (type === NETWORK_ERROR && isRefusal(response?.code)) this.renew();
    else if (fatal && type === NETWORK_ERROR) this.retryLater(() => this.#loadAgain());
    else if (fatal && type === MEDIA_ERROR && !this.#hasRecovered) this.#recover();
    else if (fatal) this.fail(UNPLAYABLE);
  }

  /** Turns captions off, says so, and lets the film continue. */
  #doWithoutCaptions() {
    if (this.#hls.subtitleTrack === -1) return;
    this.chooseCaptions(null);
    this.listener.onHint(NO_CAPTIONS);
    setTimeout(() => this.listener.onHint(null), HINT_MS);
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

/** Bits per second that this connection had last time, else the browser's estimate. */
function expectedBandwidth() {
  return Number(recall(BANDWIDTH)) || (navigator.connection?.downlink || GUESS_MBPS) * 1e6;
}

/** Returns "720p" from …/720p.m3u8, else from the shorter side, by which rungs are named. */
function nameOf(level) {
  const [, name] = /(\d{1,5}p)\.m3u8(?:$|\?)/.exec(level.url[0] ?? "") ?? [];
  return name ?? `${Math.min(level.width, level.height)}p`;
}

const trackOf = ({ name, lang }, index) => ({ value: String(index), label: name || lang, language: lang ?? "" });
const valueOf = (index) => (index === -1 ? null : String(index));

const OWN = "videoflix";

/** The one track for all captions: a track that a script has added to a <video> can never be removed. */
function ownTrack(video) {
  return [...video.textTracks].find(({ label }) => label === OWN) ?? video.addTextTrack("metadata", OWN);
}
