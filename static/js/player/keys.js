// The list of the player's keys, loaded when it is opened for the first time.

import { el, icon } from "../site/dom.js";
import { HELP } from "./shortcuts.js";

/** Returns a dialog to append to the player, whose colours it uses. */
export function keysDialog() {
  const rows = HELP.flatMap(([keys, meaning]) => [
    el("dt", {}, ...keys.map((key) => (key === "…" ? key : el("kbd", {}, key)))),
    el("dd", {}, meaning),
  ]);
  const close = el("button", { class: "control", type: "submit", "aria-label": "Close" }, icon("close"));
  const head = el("form", { method: "dialog" }, el("h2", { id: "keys-title" }, "Keys"), close);
  const attributes = { class: "keys", "aria-labelledby": "keys-title", "data-testid": "keys-dialog" };
  const dialog = el("dialog", attributes, head, el("dl", {}, ...rows));
  // A click beside the dialog closes it, as Escape does.
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  return dialog;
}
