// Asks the server again and again, but only while there is something to wait for and the page is visible.

import { reportBack, reportLost } from "./connection.js";

const INTERVAL_MS = 2000;
const MAX_INTERVAL_MS = 30_000;

/** True when the server refuses the request itself, so that asking again would change nothing. */
const isFinal = ({ status }) => status >= 400 && status < 500 && status !== 429;

export class Poll {
  #step;
  #timer = null;
  #failures = 0;
  #isOn = false;
  #isBusy = false;

  /** `step` asks the server once and resolves to whether there is still something to wait for. */
  constructor(step) {
    this.#step = step;
    document.addEventListener("visibilitychange", () => this.#run());
    window.addEventListener("online", () => this.#run());
  }

  start() {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#schedule();
  }

  stop() {
    this.#isOn = false;
    clearTimeout(this.#timer);
  }

  #schedule() {
    clearTimeout(this.#timer);
    const delay = Math.min(MAX_INTERVAL_MS, INTERVAL_MS * 2 ** this.#failures);
    if (this.#isOn && !document.hidden) this.#timer = setTimeout(() => this.#run(), delay);
  }

  async #run() {
    if (!this.#isOn || this.#isBusy || document.hidden) return;
    this.#isBusy = true;
    try {
      await this.#ask();
    } finally {
      this.#isBusy = false;
      this.#schedule();
    }
  }

  async #ask() {
    try {
      this.#isOn = (await this.#step()) && this.#isOn;
      if (this.#failures) reportBack();
      this.#failures = 0;
    } catch (error) {
      if (isFinal(error)) this.stop();
      this.#failures += 1;
      reportLost(error, { isTryingAgain: this.#isOn });
    }
  }
}
