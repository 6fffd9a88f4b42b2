// Captions as the player draws them: above its controls, in a size that suits the screen, alike in every browser.

import { el } from "./dom.js";

export class Captions {
  #box;
  #video;
  #track = null;

  constructor(box, video) {
    this.#box = box;
    this.#video = video;
    // An iPhone shows nothing but the video itself on its full screen: there the browser has to draw them.
    video.addEventListener("webkitbeginfullscreen", () => this.#setMode("showing"));
    video.addEventListener("webkitendfullscreen", () => this.#setMode("hidden"));
  }

  /** `track`: a TextTrack, or null for none. Hidden, it tells of its cues and leaves drawing them to us. */
  follow(track) {
    if (this.#track) this.#track.oncuechange = null;
    this.#track = track;
    this.#setMode("hidden");
    if (track) track.oncuechange = () => this.#draw();
    this.#draw();
  }

  #setMode(mode) {
    if (this.#track && this.#track.mode !== mode) this.#track.mode = mode;
  }

  #draw() {
    const lines = this.#cues.map(lineOf);
    this.#box.dataset.place = lines.some(({ isOnTop }) => isOnTop) ? "top" : "bottom";
    this.#box.replaceChildren(...lines.map(({ element }) => element));
  }

  /** `activeCues` says the same, but stays empty where captions are turned on while the film stands still. */
  get #cues() {
    const now = this.#video.currentTime;
    return [...(this.#track?.cues ?? [])].filter(({ startTime, endTime }) => startTime <= now && now < endTime);
  }
}

/** A cue that its author moved to the upper half stays there: something is to be seen below. */
function lineOf(cue) {
  const isOnTop = typeof cue.line === "number" && cue.line >= 0 && cue.line < (cue.snapToLines ? 5 : 50);
  const element = el("p", { dir: "auto" });
  element.append(cue.getCueAsHTML());
  // Classes come from the file's author; the page's own must not be among them.
  element.querySelectorAll("[class]").forEach((part) => part.removeAttribute("class"));
  return { element, isOnTop };
}
