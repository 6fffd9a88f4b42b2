// Forms that change something without leaving the page. `data-in-place` names the parts to renew from the page that
// the server leads to; without this script the same forms simply load that page.

import { say } from "../js/dom.js";
import { askForPage } from "./ask.js";
import { replaceParts } from "./parts.js";

/** `onDone(parts)` is called with the ids of what has been renewed. */
export function connectForms(onDone) {
  document.addEventListener("submit", (event) => {
    const parts = event.target.dataset.inPlace?.split(" ");
    if (!parts) return;
    event.preventDefault();
    send(event.target, event.submitter, parts, onDone);
  });
  // A picture or a file is sent as soon as it is chosen, where there is nothing else to fill in.
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-send-at-once]") && target.files.length) target.form.requestSubmit();
  });
}

async function send(form, submitter, parts, onDone) {
  const body = new FormData(form, submitter);
  setBusy(form, true);
  try {
    replaceParts(await askForPage(form.action, { method: "POST", body }), parts);
    onDone(parts);
  } catch (error) {
    say(document.querySelector("[data-connection]"), error.message);
  } finally {
    setBusy(form, false);
  }
}

function setBusy(form, isBusy) {
  form.setAttribute("aria-busy", isBusy);
  for (const button of form.querySelectorAll("button")) button.disabled = isBusy;
}

/** Unfold's script writes the name of a chosen file into whatever text field it finds next; not into ours. */
export function shieldFileInputs(root = document) {
  for (const input of root.querySelectorAll("input[type=file]")) input.hasChangeListener = true;
}
