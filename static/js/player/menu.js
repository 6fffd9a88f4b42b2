// A button with a list of choices, of which exactly one is chosen.

import { el } from "../site/dom.js";

export class Menu {
  #root;
  #button;
  #list;
  #name;
  #onChoose;

  /** `root` holds a button, whose label names what is chosen with it, and an empty list with role=menu. */
  constructor(root, onChoose) {
    this.#root = root;
    this.#button = root.querySelector("button");
    this.#list = root.querySelector("[role=menu]");
    this.#name = this.#button.getAttribute("aria-label");
    this.#onChoose = onChoose;
    this.#button.addEventListener("click", () => (this.isOpen ? this.close() : this.#open()));
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    root.addEventListener("focusout", (event) => this.#onFocusOut(event));
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  /** `choices`: [{value, label, language}]; `text`: the current choice, which a button without an icon shows. */
  show(choices, chosen, text) {
    const focused = this.isOpen ? document.activeElement?.dataset.value : undefined;
    this.#list.replaceChildren(...choices.map((choice) => this.#item(choice, choice.value === chosen)));
    this.#button.setAttribute("aria-label", `${this.#name}: ${text}`);
    const shown = this.#button.querySelector("[data-chosen]");
    if (shown) shown.textContent = text;
    this.#root.hidden = choices.length < 2;
    if (focused !== undefined) this.#items.find((item) => item.dataset.value === focused)?.focus();
  }

  close() {
    this.#list.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
  }

  get #items() {
    return [...this.#list.children];
  }

  #item({ value, label, language }, isChosen) {
    const attributes = { type: "button", role: "menuitemradio", tabindex: -1, "aria-checked": String(isChosen) };
    const spoken = { lang: language, "data-value": value, onclick: () => this.#choose(value) };
    return el("button", { ...attributes, ...spoken }, label);
  }

  #open() {
    this.#list.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    (this.#items.find((item) => item.getAttribute("aria-checked") === "true") ?? this.#items[0])?.focus();
  }

  #choose(value) {
    this.close();
    this.#button.focus();
    this.#onChoose(value);
  }

  #onKey(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const targets = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    event.stopPropagation(); // while the menu is open, the arrow keys do not seek
    if (event.key === "Escape") {
      this.close();
      this.#button.focus();
    } else if (event.key in targets) {
      event.preventDefault();
      items.at(targets[event.key] % items.length)?.focus();
    }
  }

  #onFocusOut(event) {
    if (!this.#root.contains(event.relatedTarget)) this.close();
  }
}
