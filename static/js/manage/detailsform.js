// The details of a film, edited by its owner or by staff. Only the fields that were changed here are sent, and If-Match
// keeps them from overwriting what this page has not shown.

import { ApiError, get, request } from "../site/api.js";
import { el } from "../site/dom.js";
import { Form } from "../site/forms.js";

const FIELDS = ["title", "description", "category", "visibility", "is_paid", "price", "currency"];
const NOT_SAVED = "Not saved yet.";
const TITLE_MISSING = "Give the film a title.";
const CHANGED_MEANWHILE = "This film was changed in the meantime.";
const MAX_QUOTE = 200;
const MAX_TRIES = 5;

/** The value as a form field holds it, with \n at the end of each line. */
const textOf = (video, name) => String(video[name] ?? "").replace(/\r\n?/g, "\n");

export class DetailsForm {
  #form;
  #video;
  #onSaved;

  /** `form` has a field for each of FIELDS; `onSaved(video)` is called with the saved film. */
  constructor(form, video, { onSaved }) {
    this.#form = form;
    this.#onSaved = onSaved;
    this.#video = video;
    new Form(form, {
      send: (values) => this.#save(values),
      onSent: (answer) => this.#showSaved(answer),
      validate: ({ title }) => (title ? {} : { title: TITLE_MISSING }),
    });
    form.addEventListener("input", () => this.#showChanged());
    window.addEventListener("beforeunload", (event) => this.isChanged && event.preventDefault());
    this.#fill(video);
    this.#loadCategories();
  }

  get isChanged() {
    return this.#changed().length > 0;
  }

  /** Shows the film as it is now, unless there are unsaved changes. */
  update(video) {
    if (this.isChanged) return;
    this.#video = video;
    this.#fill(video);
  }

  discard() {
    this.#fill(this.#video);
    this.#say("");
  }

  async #loadCategories() {
    try {
      const categories = await get("/content/categories/");
      const { category } = this.#form.elements;
      const [chosen, known] = [category.value, new Set([...category.options].map(({ value }) => value))];
      const missing = categories.filter(({ name }) => !known.has(name));
      category.append(...missing.map(({ name }) => el("option", { value: name }, name)));
      category.value = chosen;
    } catch {
      // Without the list the film can still keep its own category.
    }
  }

  #fill(video) {
    const { category } = this.#form.elements;
    const isKnown = [...category.options].some(({ value }) => value === textOf(video, "category"));
    if (!isKnown) category.append(el("option", { value: video.category }, video.category));
    for (const name of FIELDS) this.#form.elements[name].value = textOf(video, name);
    this.#showPrice();
  }

  #changed() {
    return FIELDS.filter((name) => this.#form.elements[name].value.trim() !== textOf(this.#video, name).trim());
  }

  #showChanged() {
    this.#showPrice();
    this.#say(this.isChanged ? NOT_SAVED : "");
  }

  /** A free film keeps its price too, but the price is not shown. */
  #showPrice() {
    this.#form.querySelector("[data-for-paid]").hidden = this.#form.elements.is_paid.value !== "true";
  }

  #say(sentence) {
    this.#form.querySelector("[role=status]").textContent = sentence;
  }

  // --- Saving ---

  async #save(values) {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const mine = this.#changed();
      if (!mine.length) return this.#video;
      try {
        const body = Object.fromEntries(mine.map((name) => [name, values[name]]));
        const seen = { "If-Match": `"${this.#video.updated_at}"` };
        return await request("PATCH", `/api/v1/videos/${this.#video.id}/`, body, seen);
      } catch (error) {
        if (error.code !== "changed_meanwhile") throw error;
        await this.#takeOver(mine);
      }
    }
    throw new ApiError(412, "changed_meanwhile", CHANGED_MEANWHILE);
  }

  /**
   * Takes over what was changed elsewhere alone. Throws with a sentence for each field that was changed in both places,
   * so that the person decides before it is overwritten.
   */
  async #takeOver(mine) {
    const [before, now] = [this.#video, await get(`/api/v1/videos/${this.#video.id}/`)];
    const theirs = FIELDS.filter((name) => textOf(now, name) !== textOf(before, name));
    const typed = Object.fromEntries(mine.map((name) => [name, this.#form.elements[name].value]));
    this.#video = now;
    this.#fill(now);
    for (const name of mine) this.#form.elements[name].value = typed[name];
    this.#showPrice();
    const both = mine.filter((name) => theirs.includes(name) && typed[name].trim() !== textOf(now, name).trim());
    if (!both.length) return;
    const fields = Object.fromEntries(both.map((name) => [name, keptText(textOf(now, name))]));
    throw new ApiError(412, "changed_meanwhile", CHANGED_MEANWHILE, fields);
  }

  #showSaved(video) {
    this.#video = video;
    this.#fill(video);
    this.#onSaved(video);
    return "Saved.";
  }
}

function keptText(theirs) {
  const quoted = theirs.length > MAX_QUOTE ? `${theirs.slice(0, MAX_QUOTE)}…` : theirs;
  const change = theirs ? `changed this to “${quoted}”` : "emptied this field";
  return `Someone ${change} in the meantime. Save again to keep yours.`;
}
