// The progress of an upload, with buttons to pause or cancel it, on the watch site and the admin site.

import { size, timeLeft } from "../site/format.js";

const byId = (id) => document.getElementById(id);

export class TransferPanel {
  #transfer = null;

  constructor() {
    byId("pause-upload").addEventListener("click", () => this.#togglePause());
    byId("cancel-upload").addEventListener("click", () => this.cancel());
  }

  open(title, totalBytes) {
    byId("transfer-title").textContent = title;
    this.onProgress({ sent: 0, total: totalBytes, bytesPerSecond: null, secondsLeft: null });
    this.onState("sending", "");
    byId("pause-upload").hidden = true;
  }

  /** `transfer` has cancel(), and pause() and resume() if it can be paused. */
  connect(transfer) {
    this.#transfer = transfer;
    byId("pause-upload").hidden = !transfer.pause;
  }

  cancel() {
    // Where the storage cannot be reached, it removes the unfinished upload by itself later.
    Promise.resolve(this.#transfer?.cancel()).catch(() => {});
  }

  onProgress = ({ sent, total, bytesPerSecond, secondsLeft }) => {
    const percent = Math.min(100, Math.floor((sent / total) * 100));
    byId("transfer-progress").value = percent;
    const isDone = sent >= total;
    byId("transfer-done").textContent = isDone ? "Finishing…" : `${percent} % of ${size(total)}`;
    const rate = bytesPerSecond === null || isDone ? [] : [`${size(bytesPerSecond)}/s`, timeLeft(secondsLeft ?? 0)];
    byId("transfer-rate").textContent = rate.join(", ");
  };

  /** `state`: sending, waiting or paused */
  onState = (state, sentence) => {
    byId("transfer").dataset.state = state;
    byId("transfer-note").textContent = sentence;
    byId("pause-upload").textContent = state === "paused" ? "Resume" : "Pause";
    if (state !== "sending") byId("transfer-rate").textContent = "";
  };

  #togglePause() {
    if (byId("transfer").dataset.state === "paused") this.#transfer?.resume();
    else this.#transfer?.pause();
  }
}
