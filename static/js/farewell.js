// What is said about a film that was just deleted, on this page or the next one, with a way back.

import { request } from "./api.js";
import { el } from "./dom.js";

const KEY = "videoflix.farewell";
const SHOWN_MS = 20_000;

/** `farewell`: see farewellOf. */
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

/** Owners may undo it for a while, which the server knows; admins at any time. */
export const farewellOf = ({ title, id }, { role }) => ({ title, id, isAdmin: role === "ADMIN" });

/** What the page before has left to be said. `onUndone` is called when the film is back. */
export function sayFarewell(onUndone) {
  const farewell = takeFarewell();
  if (farewell) showFarewell(farewell, onUndone);
}

export function showFarewell(farewell, onUndone) {
  document.querySelector(".toast")?.remove();
  const toast = el("div", { class: "toast", role: "status", "data-testid": "farewell" });
  document.body.append(toast);
  // A live region is read when its text changes, not when it comes with one.
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

/** Not from under a pointer or the keyboard. */
function hideAfterAWhile(toast) {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) hideAfterAWhile(toast);
    else toast.remove();
  }, SHOWN_MS);
}
