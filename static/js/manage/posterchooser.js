// Chooses the picture of a film: one of its frames, or an uploaded picture.

import { get, ownPath, request } from "../site/api.js";
import { el, say } from "../site/dom.js";

const byId = (id) => document.getElementById(id);

export class PosterChooser {
  #video;
  #onChanged;
  #choices = byId("poster-choices");

  /** `onChanged` is called when the picture has changed. */
  constructor(video, { onChanged }) {
    this.#video = video;
    this.#onChanged = onChanged;
    byId("poster-file").addEventListener("change", ({ target }) => this.#upload(target));
    byId("poster-reset").addEventListener("click", () => this.#change("DELETE"));
  }

  async load() {
    try {
      this.#show(await get(this.#path("posters")));
      say(byId("poster-problem"), null);
    } catch (error) {
      say(byId("poster-problem"), error.message);
    }
  }

  #path(name) {
    return `/api/v1/videos/${this.#video.public_id}/${name}/`;
  }

  #show({ candidates, is_uploaded: isUploaded, current_small: current }) {
    const focused = this.#choices.contains(document.activeElement) ? document.activeElement.dataset.number : null;
    const own = isUploaded ? [choice({ url: current, label: "Your own picture", isCurrent: true })] : [];
    this.#choices.replaceChildren(...own, ...candidates.map((candidate) => this.#candidate(candidate)));
    byId("poster-reset").hidden = !isUploaded;
    this.#choices.querySelector(`[data-number="${focused}"]`)?.focus();
  }

  #candidate({ number, small_url: url, is_current: isCurrent }) {
    const onclick = () => this.#change("PUT", { candidate: number });
    const label = `Picture ${number}${number === 1 ? ", suggested" : ""}`;
    return choice({ url, label, isCurrent, number, onclick });
  }

  #upload(input) {
    if (!input.files.length) return;
    const form = new FormData();
    form.append("file", input.files[0]);
    input.value = "";
    this.#change("PUT", form);
  }

  async #change(method, body) {
    say(byId("poster-problem"), null);
    this.#choices.ariaBusy = "true";
    try {
      this.#show(await request(method, this.#path("poster"), body));
      this.#onChanged();
    } catch (error) {
      say(byId("poster-problem"), error.message);
    } finally {
      this.#choices.ariaBusy = "false";
    }
  }
}

function choice({ url, label, isCurrent, number, onclick }) {
  const state = { "aria-pressed": String(isCurrent), "aria-label": label, "data-number": number };
  const image = el("img", { src: ownPath(url), alt: "", loading: "lazy" });
  return el("button", { class: "poster-choice", type: "button", ...state, onclick }, image);
}
