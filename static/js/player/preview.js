// The time above the seek bar, with a small picture of that moment where the film has a storyboard.

import { get, ownPath } from "../site/api.js";
import { clock } from "../site/format.js";
import { parseStoryboard, tileAt } from "./storyboard.js";

// Limits of the picture's size, as shares of the player's and of its own: larger pictures are blurred.
const MAX_SHARE_OF_WIDTH = 0.4;
const MAX_SHARE_OF_HEIGHT = 0.45;
const MAX_SCALE = 1.25;
const ASK_AGAIN_MS = 10_000;

export class Preview {
  #player;
  #box;
  #picture;
  #time;
  #address = null;
  #tiles = [];
  #sheet = null;
  #askedAt = -Infinity;
  #shown = null;

  /** `box` lies in the seek bar and holds an element for the picture and an <output> for the time. */
  constructor(box, player) {
    this.#player = player;
    this.#box = box;
    this.#picture = box.querySelector(".preview-picture");
    this.#time = box.querySelector("output");
  }

  /** `address`: of the storyboard's WebVTT, or null. It is loaded only when it is needed: see `prepare`. */
  open(address) {
    this.#address = address;
    this.#askedAt = -Infinity;
    this.#forget();
  }

  /** `fraction`: the place along the seek bar, 0 to 1. */
  show(seconds, fraction) {
    this.prepare();
    this.#shown = { seconds, fraction };
    this.#time.textContent = clock(seconds);
    this.#box.style.setProperty("--at", fraction);
    this.#box.hidden = false;
    this.#draw();
  }

  hide() {
    this.#shown = null;
    this.#box.hidden = true;
  }

  /** Loads the storyboard unless it is loaded. After a failure it is asked for again, but not at once. */
  async prepare() {
    if (!this.#address || this.#tiles.length || Date.now() - this.#askedAt < ASK_AGAIN_MS) return;
    this.#askedAt = Date.now();
    try {
      this.#tiles = parseStoryboard(await get(this.#address));
      if (this.#tiles.length) this.#loadSheet(ownPath(this.#tiles[0].sheet));
    } catch ({ status }) {
      if (status >= 400 && status < 500) this.#address = null;
    }
  }

  #loadSheet(address) {
    const sheet = new Image();
    sheet.addEventListener("load", () => this.#takeSheet(sheet));
    // The signed address of the sheet expires; loading the storyboard again gives a new one.
    sheet.addEventListener("error", () => this.#forget());
    sheet.src = address;
  }

  #takeSheet(sheet) {
    this.#sheet = sheet;
    this.#picture.style.backgroundImage = `url("${sheet.src}")`;
    this.#draw();
  }

  #forget() {
    this.#tiles = [];
    this.#sheet = null;
    this.#picture.hidden = true;
  }

  #draw() {
    const tile = this.#sheet && this.#shown ? tileAt(this.#tiles, this.#shown.seconds) : null;
    this.#picture.hidden = tile === null;
    if (tile) Object.assign(this.#picture.style, this.#styleOf(tile));
    this.#box.style.setProperty("--half", `${this.#box.offsetWidth / 2}px`);
  }

  #styleOf(tile) {
    const scale = this.#scaleOf(tile);
    const pixels = (number) => `${number * scale}px`;
    return {
      width: pixels(tile.width),
      height: pixels(tile.height),
      backgroundPosition: `${pixels(-tile.x)} ${pixels(-tile.y)}`,
      backgroundSize: `${pixels(this.#sheet.naturalWidth)} ${pixels(this.#sheet.naturalHeight)}`,
    };
  }

  #scaleOf({ width, height }) {
    const { clientWidth, clientHeight } = this.#player;
    const byWidth = (clientWidth * MAX_SHARE_OF_WIDTH) / width;
    const byHeight = (clientHeight * MAX_SHARE_OF_HEIGHT) / height;
    return Math.min(MAX_SCALE, byWidth, byHeight);
  }
}
