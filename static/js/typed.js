// What was typed on one page about an account and is needed on the next, or after a reload; never a password.

import { forget, recall, remember } from "./store.js";

const TYPED = "videoflix.typed"; // in this tab: {name, email, isRegistered}
const WAITING = "videoflix.waiting"; // in this browser, as links in mails open a tab of their own: an address
const DAY_MS = 24 * 3600 * 1000; // as long as the mail's link works

export function recallTyped() {
  try {
    return JSON.parse(sessionStorage.getItem(TYPED)) ?? {};
  } catch {
    return {};
  }
}

/** Together with what is known already. */
export function rememberTyped(values) {
  try {
    sessionStorage.setItem(TYPED, JSON.stringify({ ...recallTyped(), ...values }));
  } catch {
    // It is typed once more.
  }
}

/** The person is signed in, or another one begins. */
export function forgetTyped() {
  forget(WAITING);
  try {
    sessionStorage.removeItem(TYPED);
  } catch {
    // There was nothing.
  }
}

/** The address that waits for its confirmation. */
export function rememberWaiting(email) {
  remember(WAITING, `${Date.now()} ${email}`);
}

export function recallWaiting() {
  const [since, email] = (recall(WAITING) ?? "").split(" ");
  return Date.now() - Number(since) < DAY_MS && email ? email : "";
}

/** The field has what was typed on the page before, and the next page has what is typed into it. */
export function carryAddress(field) {
  field.value ||= recallTyped().email ?? "";
  field.addEventListener("input", () => rememberTyped({ email: field.value.trim() }));
}
