// Forms that are sent without leaving the page. `data-in-place` lists the ids of the parts to renew from the page that
// the server redirects to; without this script the same forms simply load that page.

import { say } from "../js/site/dom.js";
import { askForPage } from "./ask.js";
import { replaceParts } from "./parts.js";

/** `onDone(parts)` is called with the ids of the renewed parts. */
export function connectForms(onDone) {
  document.addEventListener("submit", (event) => {
    const parts = event.target.dataset.inPlace?.split(" ");
    if (!parts) return;
    event.preventDefault();
    send(event.target, event.submitter, parts, onDone);
  });
  // A form with nothing else to fill in is sent as soon as its file is chosen.
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

/** Keeps unfold's script from writing the name of a chosen file into the next text field of the form. */
export function shieldFileInputs(root = document) {
  for (const input of root.querySelectorAll("input[type=file]")) input.hasChangeListener = true;
}
