// The line under the header that says when the server is out of reach.

import { say } from "./dom.js";

const banner = document.querySelector("[data-connection]");
const OFFLINE = "You are offline. This page goes on by itself when the connection is back.";

export function reportLost(error, { isTryingAgain = false } = {}) {
  say(banner, navigator.onLine ? `${error.message}${isTryingAgain ? " Trying again…" : ""}` : OFFLINE);
}

export function reportBack() {
  say(banner, null);
}

window.addEventListener("offline", () => say(banner, OFFLINE));
window.addEventListener("online", reportBack);
