// Says why the last file for a film was not used, until the note is dismissed.

import { request } from "../site/api.js";
import { say } from "../site/dom.js";
import { day } from "../site/format.js";

const byId = (id) => document.getElementById(id);

export class RefusalNote {
  #video;

  constructor(video) {
    this.#video = video;
    byId("dismiss-refusal").addEventListener("click", () => this.#dismiss());
  }

  update(video) {
    this.#video = video;
    const { last_refusal: refusal } = video;
    byId("manage-refusal").hidden = !refusal;
    say(byId("refusal-sentence"), refusal && refusalText(refusal));
  }

  async #dismiss() {
    try {
      await request("DELETE", `/api/v1/videos/${this.#video.id}/refusal/`);
      this.update({ ...this.#video, last_refusal: null });
    } catch (error) {
      say(byId("refusal-sentence"), error.message);
    }
  }
}

/** The sentence about a refusal {file, sentence, at}; pure. */
export function refusalText({ file, sentence, at }) {
  const event = file ? `The file “${file}” was not used` : "The film could not be processed again";
  return `${event} (${day(at)}): ${sentence} The film was not changed.`;
}
