// A stream that the browser's own HLS support plays.

import { Stream } from "./stream.js";

export class NativeStream extends Stream {
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
    this.#followTracks(signal);
    this.video.src = this.url;
  }

  close() {
    super.close();
    this.#abort?.abort();
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** The browser chooses the quality by itself. */
  choose() {}

  // --- Languages and captions ---

  #followTracks(signal) {
    for (const name of ["addtrack", "removetrack"]) {
      this.video.audioTracks?.addEventListener(name, () => this.#announceLanguages(), { signal });
      this.video.textTracks.addEventListener(name, () => this.#announceCaptions(), { signal });
    }
  }

  chooseLanguage(value) {
    [...this.video.audioTracks].forEach((track, index) => (track.enabled = String(index) === value));
    this.#announceLanguages();
  }

  #announceLanguages() {
    const tracks = [...this.video.audioTracks];
    this.listener.onLanguages(tracks.map(trackOf), valueOf(tracks.findIndex((track) => track.enabled)));
  }

  get #captions() {
    return [...this.video.textTracks].filter(({ kind }) => kind === "subtitles" || kind === "captions");
  }

  chooseCaptions(value) {
    this.#captions.forEach((track, index) => (track.mode = String(index) === value ? "hidden" : "disabled"));
    this.#announceCaptions();
  }

  #announceCaptions() {
    const tracks = this.#captions;
    const chosen = tracks.findIndex((track) => track.mode !== "disabled");
    this.listener.onCaptionTrack(tracks[chosen] ?? null);
    this.listener.onCaptions(tracks.map(trackOf), valueOf(chosen));
  }

  /** The event does not tell what the server has answered; requesting the playlist again does. */
  #onError() {
    this.renew();
  }
}

const trackOf = ({ label, language }, index) => ({ value: String(index), label: label || language, language });
const valueOf = (index) => (index === -1 ? null : String(index));
