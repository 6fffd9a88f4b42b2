// A stream by hls.js.

import { isRefusal, Stream } from "./stream.js";
import { recall, remember } from "./store.js";

// Without testBandwidth a film begins in the quality that the first guess allows. With it, the first seconds would
// always be shown in the lowest one, because one small part is too little to measure by.
// Captions are not rendered by hls.js: it does so by <track src="data:…">, which the page's policy forbids.
const CONFIG = {
  startLevel: -1,
  testBandwidth: false,
  capLevelToPlayerSize: true,
  backBufferLength: 60,
  renderTextTracksNatively: false,
};
const BANDWIDTH = "videoflix.bits_per_second";
const GUESS_MBPS = 2;
// In seconds. Before the first play little is fetched: the page may only be looked at, and what is buffered in a low
// quality, before the connection is known, would be seen for that long.
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
    // After its listeners hls.js chooses the captions that are marked as default: the person's own choice comes last.
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

  /** hls.js loads captions once: what it parsed is kept for when somebody comes back to them. */
  #takeCues({ cues, subtitleTrack }) {
    if (!subtitleTrack) return; // captions inside the picture are not offered
    this.#cues.set(subtitleTrack.id, [...(this.#cues.get(subtitleTrack.id) ?? []), ...cues]);
    if (subtitleTrack.id === this.#hls.subtitleTrack) this.#showCues(subtitleTrack.id);
  }

  #showCues(id) {
    const track = ownTrack(this.video);
    track.mode = "hidden"; // a disabled one has no list of cues
    for (const cue of [...track.cues]) track.removeCue(cue);
    for (const cue of this.#cues.get(id) ?? []) track.addCue(cue);
    this.listener.onCaptionTrack(id === -1 ? null : track);
  }

  // --- What goes well and what does not ---

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

  /** The film goes on without them. */
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

/** What this connection gave last time, else what the browser believes of it, in bits per second. */
function expectedBandwidth() {
  return Number(recall(BANDWIDTH)) || (navigator.connection?.downlink || GUESS_MBPS) * 1e6;
}

/** "720p" from …/720p.m3u8, else from the short side, by which rungs are named. */
function nameOf(level) {
  const [, name] = /(\d{1,5}p)\.m3u8(?:$|\?)/.exec(level.url[0] ?? "") ?? [];
  return name ?? `${Math.min(level.width, level.height)}p`;
}

const trackOf = ({ name, lang }, index) => ({ value: String(index), label: name || lang, language: lang ?? "" });
const valueOf = (index) => (index === -1 ? null : String(index));

const OWN = "videoflix";

/** One track of our own for whatever captions are chosen: a track that was added to a <video> can never be removed. */
function ownTrack(video) {
  return [...video.textTracks].find(({ label }) => label === OWN) ?? video.addTextTrack("metadata", OWN);
}
