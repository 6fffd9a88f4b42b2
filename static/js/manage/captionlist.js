// The captions of a film: lists, adds and removes them.

import { get, request } from "../site/api.js";
import { el, icon, say } from "../site/dom.js";

const byId = (id) => document.getElementById(id);

export class CaptionList {
  #video;
  #onChanged;
  #list = byId("caption-list");
  #form = byId("caption-form");

  /** `onChanged` is called when captions were added or removed. */
  constructor(video, { onChanged }) {
    this.#video = video;
    this.#onChanged = onChanged;
    this.#form.addEventListener("submit", (event) => this.#add(event));
  }

  async load() {
    try {
      this.#show(await get(this.#path()));
    } catch (error) {
      say(byId("caption-problem"), error.message);
    }
  }

  #path(language = "") {
    const folder = `/api/v1/videos/${this.#video.public_id}/captions/`;
    return language ? `${folder}${encodeURIComponent(language)}/` : folder;
  }

  #show(captions) {
    const none = el("li", { class: "muted" }, "This film has no captions yet.");
    this.#list.replaceChildren(...(captions.length ? captions.map((caption) => this.#item(caption)) : [none]));
  }

  #item({ language, label, is_uploaded: isUploaded }) {
    const origin = el("span", { class: "muted" }, isUploaded ? "uploaded" : "found in the file");
    const attributes = { class: "icon-button", type: "button", "aria-label": `Remove the captions ${label}` };
    const remove = el("button", { ...attributes, onclick: () => this.#remove(language) }, icon("trash"));
    return el("li", { "data-language": language }, el("span", { lang: language }, label), origin, remove);
  }

  async #add(event) {
    event.preventDefault();
    const { language, file } = this.#form.elements;
    const form = new FormData();
    form.append("file", file.files[0]);
    if (await this.#change("POST", language.value, form)) file.value = "";
  }

  async #remove(language) {
    if (await this.#change("DELETE", language)) this.#form.elements.language.focus();
  }

  async #change(method, language, body) {
    const button = this.#form.querySelector("[type=submit]");
    button.disabled = true;
    say(byId("caption-problem"), null);
    try {
      await request(method, this.#path(language), body);
      await this.load();
      this.#onChanged();
      return true;
    } catch (error) {
      say(byId("caption-problem"), error.message);
      return false;
    } finally {
      button.disabled = false;
    }
  }
}
