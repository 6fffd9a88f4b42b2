// Values typed on one of the account pages that the next one needs, also after a reload; never a password.

import { forget, recall, remember } from "./store.js";

const TYPED = "videoflix.typed"; // in this tab: {name, email, isRegistered}
const WAITING = "videoflix.waiting"; // in this browser, because links in mails open a new tab: an address
const DAY_MS = 24 * 3600 * 1000; // as long as the mail's link works

export function recallTyped() {
  try {
    return JSON.parse(sessionStorage.getItem(TYPED)) ?? {};
  } catch {
    return {};
  }
}

/** Adds these values to those that are remembered. */
export function rememberTyped(values) {
  try {
    sessionStorage.setItem(TYPED, JSON.stringify({ ...recallTyped(), ...values }));
  } catch {
    // The person types it again.
  }
}

/** Called when the person is signed in, or has left. */
export function forgetTyped() {
  forget(WAITING);
  try {
    sessionStorage.removeItem(TYPED);
  } catch {
    // Nothing was stored.
  }
}

/** Remembers the address that is not confirmed yet. */
export function rememberWaiting(email) {
  remember(WAITING, `${Date.now()} ${email}`);
}

export function recallWaiting() {
  const [since, email] = (recall(WAITING) ?? "").split(" ");
  return Date.now() - Number(since) < DAY_MS && email ? email : "";
}

/** Fills the field with the address typed on the page before, and remembers it for the next page. */
export function carryAddress(field) {
  field.value ||= recallTyped().email ?? "";
  field.addEventListener("input", () => rememberTyped({ email: field.value.trim() }));
}
