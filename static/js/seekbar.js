// Where the film is, how much is buffered, and going elsewhere.

import { clock } from "./format.js";

export class Seekbar {
  #video;
  #root;
  #input;
  #tooltip;
  #isDragging = false;

  constructor(root, video) {
    this.#video = video;
    this.#root = root;
    this.#input = root.querySelector("input");
    this.#tooltip = root.querySelector("output");
    this.#input.addEventListener("input", () => this.#preview());
    this.#input.addEventListener("change", () => this.#seek());
    root.addEventListener("pointermove", (event) => this.#showTime(event));
    root.addEventListener("pointerleave", () => (this.#tooltip.hidden = true));
    for (const name of ["timeupdate", "durationchange", "progress", "seeking"]) {
      video.addEventListener(name, () => this.update());
    }
  }

  get #duration() {
    return Number.isFinite(this.#video.duration) ? this.#video.duration : 0;
  }

  update() {
    this.#input.max = this.#duration;
    if (!this.#isDragging) this.#show(this.#video.currentTime);
    this.#root.style.setProperty("--buffered", this.#fraction(this.#bufferedEnd()));
  }

  #show(seconds) {
    this.#input.value = seconds;
    this.#input.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(this.#duration)}`);
    this.#root.style.setProperty("--played", this.#fraction(seconds));
  }

  #fraction(seconds) {
    return this.#duration ? Math.min(1, seconds / this.#duration) : 0;
  }

  #bufferedEnd() {
    const { buffered, currentTime } = this.#video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= currentTime + 0.5 && currentTime <= buffered.end(index)) return buffered.end(index);
    }
    return currentTime;
  }

  #preview() {
    this.#isDragging = true;
    this.#show(Number(this.#input.value));
  }

  #seek() {
    this.#isDragging = false;
    this.#video.currentTime = Number(this.#input.value);
  }

  #showTime(event) {
    const box = this.#root.getBoundingClientRect();
    const fraction = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    this.#tooltip.hidden = !this.#duration;
    this.#tooltip.textContent = clock(fraction * this.#duration);
    this.#root.style.setProperty("--pointer", fraction);
  }
}
