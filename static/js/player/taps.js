// Taps of a finger on the picture. The first tap shows the controls, the next one plays or pauses. Two quick taps at a
// side skip ten seconds, and each further tap skips ten more; two in the middle toggle full screen.

const QUICK_MS = 300;
const SKIP_S = 10;

/** Returns the zone of a tap, "back", "middle" or "forward", by its fraction of the width. Pure. */
export function zoneOf(fraction) {
  if (fraction < 1 / 3) return "back";
  return fraction > 2 / 3 ? "forward" : "middle";
}

export class Taps {
  #actions;
  #last = { zone: null, at: -Infinity, skipped: 0 };
  #timer = null;

  /** `actions`: {hasControls(), showControls(), togglePlay(), toggleFullscreen(), skip(seconds, zone, total)} */
  constructor(actions) {
    this.#actions = actions;
  }

  /** `at`: in ms. Waits for a second tap before it plays or pauses, so that skipping does not pause the film. */
  tap(fraction, at) {
    const zone = zoneOf(fraction);
    const isRepeated = zone === this.#last.zone && at - this.#last.at < QUICK_MS;
    const skipped = isRepeated && zone !== "middle" ? this.#last.skipped + SKIP_S : 0;
    clearTimeout(this.#timer);
    this.#last = { zone, at, skipped };
    if (skipped) this.#actions.skip(zone === "back" ? -SKIP_S : SKIP_S, zone, skipped);
    else if (isRepeated) this.#actions.toggleFullscreen();
    else if (!this.#actions.hasControls()) this.#actions.showControls();
    else this.#timer = setTimeout(() => this.#actions.togglePlay(), QUICK_MS);
  }
}
