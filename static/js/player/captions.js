// Draws captions in the player: above its controls, in a size that fits the screen, the same in every browser.

import { el } from "../site/dom.js";

export class Captions {
  #box;
  #video;
  #track = null;

  constructor(box, video) {
    this.#box = box;
    this.#video = video;
    // In full screen an iPhone shows only the <video> itself, so there the browser has to draw the captions.
    video.addEventListener("webkitbeginfullscreen", () => this.#setMode("showing"));
    video.addEventListener("webkitendfullscreen", () => this.#setMode("hidden"));
  }

  /** Draws the cues of this TextTrack, or none for null. The mode "hidden" reports cues without drawing them. */
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

  /** The cues of this moment. `activeCues` would stay empty when captions are turned on while the film is paused. */
  get #cues() {
    const now = this.#video.currentTime;
    return [...(this.#track?.cues ?? [])].filter(({ startTime, endTime }) => startTime <= now && now < endTime);
  }
}

/** A cue that its author moved to the upper half stays there, because it would cover something below. */
function lineOf(cue) {
  const isOnTop = typeof cue.line === "number" && cue.line >= 0 && cue.line < (cue.snapToLines ? 5 : 50);
  const element = el("p", { dir: "auto" });
  element.append(cue.getCueAsHTML());
  // Classes come from the author of the file; without them no style of the page can apply.
  element.querySelectorAll("[class]").forEach((part) => part.removeAttribute("class"));
  return { element, isOnTop };
}
