// A button that opens a list of choices, one of which is chosen.

import { el } from "./dom.js";

export class Menu {
  #root;
  #button;
  #list;
  #onChoose;

  constructor(root, onChoose) {
    this.#root = root;
    this.#button = root.querySelector("button");
    this.#list = root.querySelector("[role=menu]");
    this.#onChoose = onChoose;
    this.#button.addEventListener("click", () => (this.isOpen ? this.close() : this.#open()));
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    root.addEventListener("focusout", (event) => this.#onFocusOut(event));
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  /** `choices`: [{value, label}]; `text` is what the button shows. */
  show(choices, chosen, text) {
    const focused = this.isOpen ? document.activeElement?.dataset.value : undefined;
    this.#list.replaceChildren(...choices.map((choice) => this.#item(choice, choice.value === chosen)));
    this.#button.textContent = text;
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

  #item({ value, label }, isChosen) {
    const attributes = { type: "button", role: "menuitemradio", tabindex: -1, "aria-checked": String(isChosen) };
    return el("button", { ...attributes, "data-value": value, onclick: () => this.#choose(value) }, label);
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
    event.stopPropagation(); // the arrows are the menu's while it is open
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
