// The seek bar: shows the position and how much is buffered, and seeks.

import { clock } from "../site/format.js";
import { Preview } from "./preview.js";

const FLASH_MS = 1000;

export class Seekbar {
  #video;
  #root;
  #input;
  #isDragging = false;
  #flashTimer = null;

  constructor(root, video, player) {
    this.#video = video;
    this.#root = root;
    this.#input = root.querySelector("input");
    this.preview = new Preview(root.querySelector(".preview"), player);
    this.#input.addEventListener("input", () => this.#drag());
    this.#input.addEventListener("change", () => this.#seek());
    root.addEventListener("pointermove", (event) => this.#onPointer(event));
    for (const name of ["pointerleave", "pointercancel"]) root.addEventListener(name, () => this.#hidePreview());
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

  /** Shows the preview for a moment, after seeking by keyboard. */
  flash(seconds) {
    if (!this.#duration) return;
    this.#showPreview(seconds);
    this.#flashTimer = setTimeout(() => this.preview.hide(), FLASH_MS);
  }

  #showPreview(seconds) {
    clearTimeout(this.#flashTimer);
    this.preview.show(seconds, this.#fraction(seconds));
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

  #drag() {
    const seconds = Number(this.#input.value);
    this.#isDragging = true;
    this.#show(seconds);
    this.#showPreview(seconds);
  }

  #seek() {
    const seconds = Number(this.#input.value);
    this.#isDragging = false;
    this.#video.currentTime = seconds;
    this.flash(seconds);
  }

  /** Shows the preview at the mouse pointer; for a finger, dragging shows it. */
  #onPointer(event) {
    if (!this.#duration || this.#isDragging || event.pointerType === "touch") return;
    const box = this.#root.getBoundingClientRect();
    this.#showPreview(this.#duration * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  }

  #hidePreview() {
    clearTimeout(this.#flashTimer);
    this.preview.hide();
  }
}
