// Whoever watches asks for nothing else: a long film must not end at the sign-in page.

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
