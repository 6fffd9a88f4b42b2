// The films this person likes, and every heart button on the page.

import { get, post } from "../site/api.js";
import { reportLost } from "../site/connection.js";
import { el, icon } from "../site/dom.js";

export class Favorites {
  #ids = new Set();
  #asking = new Set();

  /** `onChange` is called after the server has saved a change. */
  constructor({ onChange = () => {} } = {}) {
    this.onChange = onChange;
  }

  async load() {
    const videos = await get("/content/?favorites=1");
    this.#ids = new Set(videos.map(({ id }) => id));
  }

  has(id) {
    return this.#ids.has(id);
  }

  button(video) {
    const label = `Favourite: ${video.title}`;
    const attributes = { class: "card-heart", type: "button", "aria-label": label, "data-testid": "favourite" };
    return this.connect(el("button", attributes, icon("heart")), video);
  }

  /** Makes this button show and toggle whether the film is a favourite. */
  connect(button, video) {
    button.dataset.favourite = video.id;
    button.setAttribute("aria-pressed", this.has(video.id));
    button.onclick = () => this.#toggle(video);
    return button;
  }

  async #toggle({ id, public_id: publicId }) {
    // The route toggles: a second click before the first answer would undo the first.
    if (this.#asking.has(id)) return;
    this.#asking.add(id);
    this.#show(id, !this.has(id));
    try {
      this.#ids = new Set(await post("/content/add-favorite/", { video_id: publicId }));
      this.onChange();
    } catch (error) {
      reportLost(error);
    } finally {
      this.#asking.delete(id);
      this.#show(id, this.has(id));
    }
  }

  #show(id, isFavorite) {
    for (const button of document.querySelectorAll(`[data-favourite="${id}"]`)) {
      button.setAttribute("aria-pressed", isFavorite);
    }
  }
}
