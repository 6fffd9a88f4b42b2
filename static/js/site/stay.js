// Keeps the session alive while a film plays: no other request would renew it, and it must not end before the film.

import { renewSession } from "./api.js";

const RENEW_EVERY_MS = 15 * 60_000;

export function staySignedIn(video) {
  let renewedAt = Date.now();
  video.addEventListener("timeupdate", () => {
    if (video.paused || Date.now() - renewedAt < RENEW_EVERY_MS) return;
    renewedAt = Date.now();
    renewSession().catch(() => {}); // the next request says what is wrong
  });
}
