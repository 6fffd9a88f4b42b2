// The volume of the player, with its button and slider; remembered for the next film.

import { recall, remember } from "../site/store.js";

const VOLUME = "videoflix.volume";

export class Volume {
  #player;
  #video;
  #slider;
  #button;

  constructor(player, video) {
    this.#player = player;
    this.#video = video;
    this.#slider = player.querySelector(".volume");
    this.#button = player.querySelector("[data-action=mute]");
    this.#slider.addEventListener("input", () => this.#set(Number(this.#slider.value)));
    video.addEventListener("volumechange", () => this.#show());
    this.#restore();
  }

  change(step) {
    this.#set(Math.min(1, Math.max(0, this.#video.volume + step)));
  }

  toggle() {
    this.#video.muted = !this.#video.muted;
  }

  #set(volume) {
    this.#video.muted = false;
    this.#video.volume = volume;
  }

  #restore() {
    const [volume, muted] = (recall(VOLUME) ?? "1/false").split("/");
    this.#video.volume = Number(volume) >= 0 && Number(volume) <= 1 ? Number(volume) : 1;
    this.#video.muted = muted === "true";
    this.#show();
  }

  #show() {
    const { muted, volume } = this.#video;
    this.#player.dataset.sound = muted || volume === 0 ? "off" : "on";
    this.#slider.value = muted ? 0 : volume;
    this.#button.setAttribute("aria-pressed", muted);
    remember(VOLUME, `${volume}/${muted}`);
  }
}
