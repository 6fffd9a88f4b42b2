// Forms that are sent as JSON. A message about a missing or refused value appears beside its field.

import { say } from "./dom.js";

const isSecret = (field) => field.autocomplete.endsWith("password");
const fieldsOf = (form) => [...form.elements].filter((field) => field.name);

/** Runs `work` unless the work that the button has started before is still running. */
export async function whileBusy(button, work) {
  if (button.getAttribute("aria-disabled")) return;
  const text = button.textContent;
  // Not `disabled`: the button would lose the keyboard's focus.
  button.setAttribute("aria-disabled", "true");
  if (button.dataset.busy) button.textContent = button.dataset.busy;
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
    if (button.dataset.busy) button.textContent = text;
  }
}

/** Connects the buttons that show the password fields named in their `aria-controls`. */
export function connectShowButtons(root) {
  root.querySelectorAll("[data-show]").forEach((button) => button.addEventListener("click", () => toggle(button)));
}

function toggle(button) {
  const isShown = button.getAttribute("aria-pressed") !== "true";
  for (const id of button.getAttribute("aria-controls").split(" ")) {
    document.getElementById(id).type = isShown ? "text" : "password";
  }
  button.textContent = isShown ? "Hide" : "Show";
  button.setAttribute("aria-pressed", isShown);
}

/** Empties the password fields, so that no password stays on the screen. */
export function clearSecrets(form) {
  for (const field of fieldsOf(form).filter(isSecret)) field.value = "";
}

export class Form {
  #form;
  #send;
  #onSent;
  #validate;

  /**
   * `form` has a `[data-problem=<name>]` for each field, a `role=alert` for all other problems and perhaps a
   * `role=status`. `send(values)` sends them and resolves to the answer; `onSent(answer, values)` may return a sentence
   * for the status; `validate(values)` returns {name: "sentence"} for each value that is wrong before anything is sent.
   */
  constructor(form, { send, onSent, validate = () => ({}) }) {
    this.#form = form;
    this.#send = send;
    this.#onSent = onSent;
    this.#validate = validate;
    form.addEventListener("submit", (event) => this.#submit(event));
    form.addEventListener("input", ({ target }) => target.name && this.#say(target.name, null));
    connectShowButtons(form);
  }

  /** Hides all messages and empties the password fields. */
  clear() {
    this.#sayOutcome({});
    for (const { name } of fieldsOf(this.#form)) this.#say(name, null);
    clearSecrets(this.#form);
  }

  async #submit(event) {
    event.preventDefault();
    await whileBusy(this.#form.querySelector("[type=submit]"), () => this.#try(this.#values()));
  }

  #values() {
    return Object.fromEntries(
      fieldsOf(this.#form).map((field) => [field.name, isSecret(field) ? field.value : field.value.trim()]),
    );
  }

  async #try(values) {
    this.#sayOutcome({});
    if (this.#complain({ ...this.#validate(values), ...this.#missing() })) return;
    try {
      const answer = await this.#send(values);
      clearSecrets(this.#form);
      this.#sayOutcome({ done: await this.#onSent(answer, values) });
    } catch (error) {
      if (!this.#complain(error.fields ?? {})) this.#sayOutcome({ problem: error.message });
    }
  }

  #missing() {
    const missing = fieldsOf(this.#form).filter((field) => field.willValidate && !field.checkValidity());
    return Object.fromEntries(missing.map((field) => [field.name, field.dataset.needs]));
  }

  /** Shows each sentence beside its field and focuses the first; false when none of the fields is on this form. */
  #complain(sentences) {
    const wrong = fieldsOf(this.#form).filter(({ name }) => this.#say(name, sentences[name]) && sentences[name]);
    wrong[0]?.focus();
    return wrong.length > 0;
  }

  /** Shows or hides the sentence beside its field; false when the form has no place for it. */
  #say(name, sentence) {
    const place = this.#form.querySelector(`[data-problem="${CSS.escape(name)}"]`);
    if (!place) return false;
    say(place, sentence);
    if (sentence) this.#form.elements[name].setAttribute("aria-invalid", "true");
    else this.#form.elements[name].removeAttribute("aria-invalid");
    return true;
  }

  #sayOutcome({ problem = null, done = null }) {
    say(this.#form.querySelector("[role=alert]"), problem);
    const status = this.#form.querySelector("[role=status]");
    // Never hidden: a live region has to be there before its text.
    if (status) status.textContent = done ?? "";
  }
}
