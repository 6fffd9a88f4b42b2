// What the next page says about a film that was deleted on this one, with a way back for admins.

import { request } from "./api.js";
import { el } from "./dom.js";

const KEY = "videoflix.farewell";
const SHOWN_MS = 12_000;

/** `farewell`: {title, id, mayUndo} */
export function sayNextTime(farewell) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(farewell));
  } catch {
    // The film is gone from the list, which says it as well.
  }
}

function takeFarewell() {
  try {
    const said = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
    return said;
  } catch {
    return null;
  }
}

/** `onUndone` is called when the film is back. */
export function sayFarewell(onUndone) {
  const farewell = takeFarewell();
  if (!farewell) return;
  const toast = el("div", { class: "toast", role: "status", "data-testid": "farewell" });
  document.body.append(toast);
  // A live region is read when its text changes, not when it comes with one.
  requestAnimationFrame(() => toast.append(...partsOf(farewell, toast, onUndone)));
  hideAfterAWhile(toast);
}

function partsOf({ title, id, mayUndo }, toast, onUndone) {
  const sentence = el("p", {}, `“${title}” was deleted.${mayUndo ? "" : " An admin can bring it back."}`);
  const undo = el("button", { class: "button small", type: "button", "data-testid": "undo" }, "Undo");
  undo.addEventListener("click", () => bringBack(id, { toast, sentence, undo, onUndone }));
  return mayUndo ? [sentence, undo] : [sentence];
}

async function bringBack(id, { toast, sentence, undo, onUndone }) {
  undo.disabled = true;
  try {
    await request("PATCH", `/api/v1/videos/${id}/restore/`);
    toast.remove();
    onUndone();
  } catch (error) {
    sentence.textContent = error.message;
    undo.disabled = false;
  }
}

/** Not from under a pointer or the keyboard. */
function hideAfterAWhile(toast) {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) hideAfterAWhile(toast);
    else toast.remove();
  }, SHOWN_MS);
}
