// The player: a <video> with its own controls. `data-state` of its root is loading, paused, playing, buffering, ended
// or error; `data-quality` is the quality on the screen, `data-quality-mode` is auto or chosen.

import { Captions } from "./captions.js";
import { say } from "../site/dom.js";
import { clock } from "../site/format.js";
import { Menu } from "./menu.js";
import { Seekbar } from "./seekbar.js";
import { connectShortcuts } from "./shortcuts.js";
import { recallChoice, recallPosition, rememberChoice, rememberPosition } from "../site/store.js";
import { openStream } from "./streams/streams.js";
import { Taps } from "./taps.js";
import { TrackMenu } from "./tracks.js";
import { Volume } from "./volume.js";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const HIDE_AFTER_MS = 3000;
const SAVE_EVERY_MS = 5000;
const HINT_MS = 1500;
const SKIPPED_MS = 700;
const AUTO = "";

export class Player {
  #root;
  #film = null;
  #person = null;
  #stream = null;
  #isQualityOpen = false;
  #pointer = "mouse";
  #hideTimer = null;
  #skipTimer = null;
  #hintTimer = null;
  #savedAt = 0;

  constructor(root) {
    this.#root = root;
    this.video = root.querySelector("video");
    this.seekbar = new Seekbar(root.querySelector(".seek"), this.video, root);
    this.volume = new Volume(root, this.video);
    this.captions = new Captions(root.querySelector(".player-captions"), this.video);
    this.#makeMenus((name) => root.querySelector(`[data-menu=${name}]`));
    this.#connectControls();
    this.#connectVideo();
    this.setSpeed(1);
    connectShortcuts(this);
  }

  get isOpen() {
    return this.#film !== null;
  }

  /**
   * `film`: {publicId, url, title, poster, storyboard}; `person`: whose earlier choices of quality and languages apply;
   * `isPlaying`: the film begins by itself, where the browser allows it.
   */
  open(film, person, { isPlaying = false } = {}) {
    const position = recallPosition(film.publicId);
    this.#film = film;
    this.#person = person;
    this.#root.hidden = false;
    if (film.poster) this.video.poster = film.poster;
    this.seekbar.preview.open(film.storyboard);
    this.languageMenu.belongTo(person.id);
    this.captionsMenu.belongTo(person.id);
    this.#showResumed(position);
    this.#openStream(position?.at ?? 0);
    // Where the browser refuses to play by itself, the film stays paused under the large button.
    const begin = () => this.video.play().catch(() => this.#showPlaybackState());
    if (isPlaying) this.video.addEventListener("loadedmetadata", begin, { once: true });
    this.#describeToSystem();
  }

  /** Shows the film's new picture. `isStreamOther`: its captions have changed too, which takes a new stream. */
  refresh(film, { isStreamOther }) {
    this.#film = film;
    if (film.poster) this.video.poster = film.poster;
    if (isStreamOther) this.#stream.reopen();
  }

  #openStream(position) {
    this.#setState("loading");
    this.#find(".player-message").hidden = true;
    this.#isQualityOpen = true;
    this.#stream = openStream(this.video, this.#film.url, position, {
      onQualities: (qualities) => this.#showQualities(qualities),
      onLanguages: (tracks, chosen) => this.languageMenu.show(tracks, chosen),
      onCaptions: (tracks, chosen) => this.captionsMenu.show(tracks, chosen),
      onCaptionTrack: (track) => this.captions.follow(track),
      onHint: (sentence) => say(this.#find(".player-hint"), sentence),
      onFailure: (sentence) => this.#showFailure(sentence),
    });
  }

  // --- Actions of buttons and of the keyboard ---

  togglePlay() {
    if (this.video.paused) this.video.play().catch(() => this.#showPlaybackState());
    else this.video.pause();
  }

  seekBy(seconds) {
    this.#seekTo(this.video.currentTime + seconds);
    this.seekbar.flash(this.video.currentTime);
  }

  seekToFraction(fraction) {
    if (!Number.isFinite(this.video.duration)) return;
    this.#seekTo(fraction * this.video.duration);
    this.seekbar.flash(this.video.currentTime);
  }

  #seekTo(seconds) {
    const end = Number.isFinite(this.video.duration) ? this.video.duration : seconds;
    this.video.currentTime = Math.min(end, Math.max(0, seconds));
  }

  async showKeys() {
    const { keysDialog } = await import("./keys.js");
    if (!this.#find(".keys")) this.#root.append(keysDialog());
    this.#find(".keys").showModal();
  }

  toggleCaptions() {
    const now = this.captionsMenu.toggle();
    this.#flashHint(now === null ? "This film has no captions" : `Captions: ${now}`);
  }

  changeVolume(step) {
    this.volume.change(step);
  }

  toggleMute() {
    this.volume.toggle();
  }

  changeSpeed(step) {
    const at = SPEEDS.indexOf(this.video.playbackRate) + step;
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))]);
  }

  setSpeed(speed) {
    // The default too: the browser returns to it when a stream is loaded again.
    this.video.defaultPlaybackRate = speed;
    this.video.playbackRate = speed;
    const choices = SPEEDS.map((value) => ({ value: String(value), label: `${value}×` }));
    this.speed.show(choices, String(speed), `${speed}×`);
  }

  toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.#root.requestFullscreen) this.#root.requestFullscreen().catch(() => {});
    else this.video.webkitEnterFullscreen?.(); // an iPhone shows only the <video> in full screen
  }

  togglePictureInPicture() {
    const isOut = document.pictureInPictureElement !== null;
    const change = isOut ? document.exitPictureInPicture() : this.video.requestPictureInPicture();
    change.catch(() => {});
  }

  /** Shows the controls, and hides them after a while without input, unless one of them has the keyboard's focus. */
  showControls() {
    clearTimeout(this.#hideTimer);
    this.#root.dataset.controls = "shown";
    this.#hideTimer = setTimeout(() => this.#hideControls(), HIDE_AFTER_MS);
  }

  #hideControls() {
    const isNeeded = this.#root.dataset.state !== "playing" || this.#find("[role=menu]:not([hidden])") !== null;
    const isFocused = this.#find(".controls :focus-visible") !== null;
    if (!isNeeded && !isFocused) this.#root.dataset.controls = "hidden";
  }

  // --- Connections ---

  #find(selector) {
    return this.#root.querySelector(selector);
  }

  #makeMenus(rootOf) {
    this.quality = new Menu(rootOf("quality"), (name) => this.#chooseQuality(name));
    this.speed = new Menu(rootOf("speed"), (speed) => this.setSpeed(Number(speed)));
    this.languageMenu = new TrackMenu(rootOf("language"), { apply: (value) => this.#stream?.chooseLanguage(value) });
    const applyCaptions = (value) => this.#stream?.chooseCaptions(value);
    this.captionsMenu = new TrackMenu(rootOf("captions"), { off: "Off", apply: applyCaptions });
  }

  #connectControls() {
    const actions = {
      play: () => this.togglePlay(),
      mute: () => this.toggleMute(),
      pip: () => this.togglePictureInPicture(),
      fullscreen: () => this.toggleFullscreen(),
      keys: () => this.showKeys(),
      restart: () => this.#startOver(),
      retry: () => this.#tryAgain(),
    };
    for (const button of this.#root.querySelectorAll("[data-action]")) {
      button.addEventListener("click", actions[button.dataset.action]);
    }
    this.#find("[data-action=pip]").hidden = !document.pictureInPictureEnabled;
    this.#root.addEventListener("pointerdown", ({ pointerType }) => (this.#pointer = pointerType));
    for (const name of ["pointermove", "pointerdown", "focusin"]) {
      this.#root.addEventListener(name, (event) => this.#isTap(event) || this.showControls());
    }
    document.addEventListener("fullscreenchange", () => this.#showFullscreen());
    for (const name of ["enterpictureinpicture", "leavepictureinpicture"]) {
      this.video.addEventListener(name, () => this.#showPictureInPicture());
    }
  }

  #connectVideo() {
    const changes = ["play", "playing", "pause", "waiting", "seeking", "seeked", "canplay", "ended", "loadeddata"];
    for (const name of changes) this.video.addEventListener(name, () => this.#showPlaybackState());
    this.video.addEventListener("playing", () => whenIdle(() => this.seekbar.preview.prepare()), { once: true });
    this.video.addEventListener("loadedmetadata", () => this.#showShape());
    this.video.addEventListener("timeupdate", () => this.#onTime());
    for (const name of ["durationchange", "seeking"]) this.video.addEventListener(name, () => this.#showTime());
    this.video.addEventListener("pause", () => this.#savePosition());
    this.video.addEventListener("click", (event) => this.#onVideoClick(event));
    this.video.addEventListener("dblclick", () => this.#pointer === "touch" || this.toggleFullscreen());
    window.addEventListener("pagehide", () => this.#savePosition());
    window.addEventListener("online", () => this.#root.dataset.state === "error" && this.#tryAgain());
  }

  /** True for a finger on the picture, whose tap is handled when it is lifted. */
  #isTap({ pointerType, target }) {
    return pointerType === "touch" && target === this.video;
  }

  /** A click of a mouse plays or pauses; taps of a finger: taps.js. */
  #onVideoClick(event) {
    if (this.#pointer !== "touch") return this.togglePlay();
    const box = this.video.getBoundingClientRect();
    return this.#taps.tap((event.clientX - box.left) / box.width, event.timeStamp);
  }

  #taps = new Taps({
    hasControls: () => this.#root.dataset.controls === "shown",
    showControls: () => this.showControls(),
    togglePlay: () => this.togglePlay(),
    toggleFullscreen: () => this.toggleFullscreen(),
    skip: (seconds, zone, total) => {
      this.seekBy(seconds);
      this.#showSkipped(zone, total);
    },
  });

  #tryAgain() {
    this.#openStream(this.#stream.startPosition);
  }

  #startOver() {
    this.#seekTo(0);
    this.#showResumed(null);
    this.video.play().catch(() => {});
  }

  // --- Showing ---

  #setState(state) {
    this.#root.dataset.state = state;
    const label = state === "ended" ? "Play again" : this.video.paused ? "Play" : "Pause";
    this.#find(".control[data-action=play]").setAttribute("aria-label", label);
    this.showControls();
  }

  /** A portrait film gets a portrait box on a portrait screen. */
  #showShape() {
    this.#root.dataset.shape = this.video.videoHeight > this.video.videoWidth ? "portrait" : "landscape";
  }

  #showPlaybackState() {
    const { video } = this;
    if (this.#root.dataset.state === "error") return;
    const isStarved = video.seeking || video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (!video.paused) this.#root.dataset.started = "";
    if (video.ended) this.#setState("ended");
    else if (video.readyState === 0) this.#setState("loading");
    else if (video.paused) this.#setState("paused");
    else this.#setState(isStarved ? "buffering" : "playing");
  }

  #onTime() {
    this.#showTime();
    if (Date.now() - this.#savedAt > SAVE_EVERY_MS) this.#savePosition();
    if (!this.video.paused) this.#showResumed(null);
  }

  #showTime() {
    this.#find("[data-time-now]").textContent = clock(this.video.currentTime);
    this.#find("[data-time-total]").textContent = clock(this.video.duration);
  }

  #savePosition() {
    if (!this.#film || !(this.video.duration > 0) || this.#root.dataset.state === "error") return;
    this.#savedAt = Date.now();
    rememberPosition(this.#film.publicId, this.video.currentTime, this.video.duration);
  }

  #showResumed(position) {
    const note = this.#find(".player-resumed");
    note.hidden = position === null;
    if (position) note.querySelector("span").textContent = `You left off at ${clock(position.at)}.`;
  }

  #chooseQuality(name) {
    rememberChoice(this.#person.id, "quality", name);
    this.#stream?.choose(name || null);
  }

  #showQualities({ names, current, chosen }) {
    if (this.#isQualityOpen && names.length) {
      this.#isQualityOpen = false;
      const remembered = qualityOf(names, recallChoice(this.#person.id, "quality"));
      if (remembered !== chosen) return this.#stream.choose(remembered);
    }
    const auto = current && chosen === null ? `Auto (${current})` : "Auto";
    const choices = [{ value: AUTO, label: auto }, ...names.map((name) => ({ value: name, label: name }))];
    this.quality.show(choices, chosen ?? AUTO, chosen ?? "Auto");
    this.#root.dataset.quality = current ?? "";
    return (this.#root.dataset.qualityMode = chosen === null ? "auto" : "chosen");
  }

  #showSkipped(zone, seconds) {
    clearTimeout(this.#skipTimer);
    const note = this.#find(".player-skipped");
    note.textContent = zone === "back" ? `− ${seconds} s` : `+ ${seconds} s`;
    note.dataset.zone = zone;
    note.hidden = false;
    this.#skipTimer = setTimeout(() => (note.hidden = true), SKIPPED_MS);
  }

  #showFailure(sentence) {
    this.#setState("error");
    say(this.#find(".player-hint"), null);
    this.#find(".player-message p").textContent = sentence;
    this.#find(".player-message").hidden = false;
  }

  #flashHint(sentence) {
    clearTimeout(this.#hintTimer);
    say(this.#find(".player-hint"), sentence);
    this.#hintTimer = setTimeout(() => say(this.#find(".player-hint"), null), HINT_MS);
  }

  #showFullscreen() {
    const isFull = document.fullscreenElement === this.#root;
    this.#root.dataset.fullscreen = isFull;
    this.#find("[data-action=fullscreen]").setAttribute("aria-label", isFull ? "Leave full screen" : "Full screen");
  }

  #showPictureInPicture() {
    const isOut = document.pictureInPictureElement === this.video;
    this.#find("[data-action=pip]").setAttribute("aria-pressed", isOut);
  }

  #describeToSystem() {
    if (!("mediaSession" in navigator)) return;
    const artwork = this.#film.poster ? [{ src: new URL(this.#film.poster, location.origin).href }] : [];
    navigator.mediaSession.metadata = new MediaMetadata({ title: this.#film.title, artist: "Videoflix", artwork });
  }
}

/** Returns the quality that was chosen before, else the best one below it, else null for automatic. Pure. */
export function qualityOf(names, chosen) {
  const max = Number.parseInt(chosen, 10);
  const sizes = names.map((name) => Number.parseInt(name, 10)).filter((size) => size <= max);
  return sizes.length ? `${Math.max(...sizes)}p` : null;
}

/** Runs `work` when nothing more urgent is left to do. */
function whenIdle(work) {
  if ("requestIdleCallback" in window) requestIdleCallback(work, { timeout: 5000 });
  else setTimeout(work, 2000);
}
