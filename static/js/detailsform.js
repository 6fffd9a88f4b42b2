// What is said about a film, edited by its owner or staff: sent is what was changed here, and only over what was seen.

import { ApiError, get, request } from "./api.js";
import { el } from "./dom.js";
import { Form } from "./forms.js";

const FIELDS = ["title", "description", "category", "visibility", "is_paid", "price", "currency"];
const NOT_SAVED = "Not saved yet.";
const TITLE_MISSING = "Give the film a title.";
const IN_BETWEEN = "This film was changed in the meantime.";
const LONGEST_QUOTE = 200;
const MOST_TRIES = 5;

/** As a field has it, in which a line ends in one character. */
const textOf = (video, name) => String(video[name] ?? "").replace(/\r\n?/g, "\n");

export class DetailsForm {
  #form;
  #video;
  #onSaved;

  /** `form` has a field for each of FIELDS; `onSaved(video)` is called with the film as it is now. */
  constructor(form, video, { onSaved }) {
    this.#form = form;
    this.#onSaved = onSaved;
    this.#video = video;
    new Form(form, {
      send: (values) => this.#save(values),
      onSent: (answer) => this.#showSaved(answer),
      object: ({ title }) => (title ? {} : { title: TITLE_MISSING }),
    });
    form.addEventListener("input", () => this.#showChanged());
    window.addEventListener("beforeunload", (event) => this.isChanged && event.preventDefault());
    this.#fill(video);
    this.#loadCategories();
  }

  get isChanged() {
    return this.#changed().length > 0;
  }

  /** The film as it is now; what is being typed stays. */
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
      // The film's own one can be kept.
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

  /** A free film has a price as well, which is not shown. */
  #showPrice() {
    this.#form.querySelector("[data-for-paid]").hidden = this.#form.elements.is_paid.value !== "true";
  }

  #say(sentence) {
    this.#form.querySelector("[role=status]").textContent = sentence;
  }

  // --- Saving ---

  async #save(values) {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
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
    throw new ApiError(412, "changed_meanwhile", IN_BETWEEN);
  }

  /** What was changed elsewhere alone is shown; what was changed in both places is told before it is overwritten. */
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
    throw new ApiError(412, "changed_meanwhile", IN_BETWEEN, fields);
  }

  #showSaved(video) {
    this.#video = video;
    this.#fill(video);
    this.#onSaved(video);
    return "Saved.";
  }
}

function keptText(theirs) {
  const quoted = theirs.length > LONGEST_QUOTE ? `${theirs.slice(0, LONGEST_QUOTE)}…` : theirs;
  const change = theirs ? `changed this to “${quoted}”` : "emptied this field";
  return `Someone ${change} in the meantime. Save again to keep yours.`;
}
