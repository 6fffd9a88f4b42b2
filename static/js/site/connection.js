// The note at the page's edge that says when the server is out of reach, and when it is back.

// Never `hidden`: screen readers do not read a live region that appears together with its text.
const note = document.querySelector("[data-connection]");
const OFFLINE = "You are offline. This page continues by itself when the connection is back.";
const BACK = "The connection is back.";
const BACK_MS = 3000;
let timer = null;

export function reportLost(error, { isTryingAgain = false } = {}) {
  show("lost", navigator.onLine ? `${error.message}${isTryingAgain ? " Trying again…" : ""}` : OFFLINE);
}

/** Says that the connection is back, if the page has said before that it was lost. */
export function reportBack() {
  if (note.dataset.state !== "lost") return;
  show("back", BACK);
  timer = setTimeout(() => show("", ""), BACK_MS);
}

function show(state, sentence) {
  clearTimeout(timer);
  note.dataset.state = state;
  note.textContent = sentence;
}

window.addEventListener("offline", () => show("lost", OFFLINE));
window.addEventListener("online", reportBack);
