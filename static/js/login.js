// The sign-in page.

import { get, post, renewSession, safeNext, signIn, wasSignedIn } from "./site/api.js";
import { say } from "./site/dom.js";
import { connectShowButtons, whileBusy } from "./site/forms.js";
import { carryAddress, forgetTyped, recallWaiting, rememberTyped, rememberWaiting } from "./site/typed.js";

const form = document.getElementById("login-form");
const problem = document.getElementById("login-problem");
const note = document.getElementById("login-note");
const password = document.getElementById("password");
const unconfirmed = document.getElementById("unconfirmed");
const query = new URLSearchParams(location.search);
const addressTyped = () => form.email.value.trim();

/** Notes by the query parameter with which links in mails and the account pages lead here. */
const NOTES = {
  confirmed: "Your address is confirmed. Sign in to watch.",
  email_changed: "Your new address is confirmed. Sign in with it from now on.",
  reset: "Your password has been changed. Sign in with the new one.",
  deleted: "Your account has been deleted.",
};
const reason = Object.keys(NOTES).find((name) => query.has(name));

const goOn = (to = safeNext(query.get("next"))) => location.replace(to);

async function submit(event) {
  event.preventDefault();
  const missing = [...form.elements].find((field) => field.willValidate && !field.checkValidity());
  if (missing) return complain(missing);
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  say(problem, null);
  try {
    await signIn({ email: addressTyped(), password: password.value, remember: form.remember.checked });
    forgetTyped();
    goOn();
  } catch (error) {
    showUnconfirmed(error.code === "email_not_confirmed");
    say(problem, error.message);
    password.select();
  } finally {
    button.disabled = false;
  }
}

/** Offers to send the mail again; the six digits are entered on the page for registering. */
function showUnconfirmed(isWaiting) {
  unconfirmed.hidden = !isWaiting;
  document.getElementById("mail-sent").textContent = "";
  say(document.getElementById("mail-problem"), null);
  if (!isWaiting) return;
  rememberTyped({ email: addressTyped(), isRegistered: true });
  rememberWaiting(addressTyped());
}

async function sendAgain() {
  say(document.getElementById("mail-problem"), null);
  try {
    // For an account that is not confirmed this route sends the confirmation mail again.
    await post("/users/forgot-password/", { email: addressTyped() });
    document.getElementById("mail-sent").textContent = "A new mail is on its way. Only the newest one works.";
  } catch (error) {
    say(document.getElementById("mail-problem"), error.message);
  }
}

function complain(field) {
  say(problem, field.name === "email" ? "Enter your e-mail address, like name@example.com." : "Enter your password.");
  field.focus();
}

async function skipWhenSignedIn(to) {
  if (!wasSignedIn()) return;
  try {
    if (await renewSession()) {
      await get("/api/v1/auth/me");
      goOn(to);
    }
  } catch {
    // The person can still sign in with the form.
  }
}

form.addEventListener("submit", submit);
form.email.addEventListener("input", () => showUnconfirmed(false));
document.getElementById("send-mail").addEventListener("click", ({ target }) => whileBusy(target, sendAgain));
connectShowButtons(form);
if (reason === "confirmed") form.email.value = recallWaiting();
if (reason === "deleted") {
  forgetTyped();
  document.getElementById("login-title").textContent = "Goodbye";
  const purpose = document.getElementById("login-purpose");
  purpose.textContent = "An admin can bring back the films you uploaded. Everything else is gone for good.";
  note.after(purpose);
}
carryAddress(form.email);
if (form.email.value) password.focus();
note.textContent = NOTES[reason] ?? "";
if (!reason) skipWhenSignedIn();
if (reason === "email_changed") skipWhenSignedIn(`/account/${location.search}`); // the account page has the same note
