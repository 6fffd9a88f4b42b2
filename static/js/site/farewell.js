// The note about a film that was just deleted, with a button to undo it; on this page or on the next one.

import { request } from "./api.js";
import { el } from "./dom.js";

const KEY = "videoflix.farewell";
const SHOWN_MS = 20_000;

/** Leaves the note for the next page. `farewell`: see farewellOf. */
export function sayNextTime(farewell) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(farewell));
  } catch {
    // Without the note the list still shows that the film is gone.
  }
}

/** Owners can undo a deletion for a while, which the server checks; admins can at any time. */
export const farewellOf = ({ title, id }, { role }) => ({ title, id, isAdmin: role === "ADMIN" });

/** Shows the note that the previous page has left, once. `onUndone` is called when the film is back. */
export function sayFarewell(onUndone) {
  let farewell = null;
  try {
    farewell = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
  } catch {
    // The browser blocks the storage: no note was left either.
  }
  if (farewell) showFarewell(farewell, onUndone);
}

export function showFarewell(farewell, onUndone) {
  document.querySelector(".toast")?.remove();
  const toast = el("div", { class: "toast", role: "status", "data-testid": "farewell" });
  document.body.append(toast);
  // Screen readers read a live region when its text changes, not when it appears with its text.
  requestAnimationFrame(() => toast.append(...partsOf(farewell, toast, onUndone)));
  hideAfterAWhile(toast);
}

function partsOf({ title, id, isAdmin }, toast, onUndone) {
  const later = isAdmin ? "" : " Later only an admin can bring it back.";
  const sentence = el("p", {}, `“${title}” was deleted.${later}`);
  const undo = el("button", { class: "button small", type: "button", "data-testid": "undo" }, "Undo");
  undo.addEventListener("click", () => bringBack(id, { toast, sentence, undo, onUndone }));
  return [sentence, undo];
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

/** Waits longer while the pointer or the keyboard is on the note. */
function hideAfterAWhile(toast) {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) hideAfterAWhile(toast);
    else toast.remove();
  }, SHOWN_MS);
}
