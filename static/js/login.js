// The sign-in page.

import { get, renewSession, safeNext, signIn, wasSignedIn } from "./api.js";
import { say } from "./dom.js";
import { connectShowButtons } from "./forms.js";

const form = document.getElementById("login-form");
const problem = document.getElementById("login-problem");
const note = document.getElementById("login-note");
const password = document.getElementById("password");
const query = new URLSearchParams(location.search);

/** What led here, if anything did: links in mails and the account pages say it in the address. */
const NOTES = {
  confirmed: "Your address is confirmed. Sign in to watch.",
  email_changed: "Your new address is confirmed. Sign in with it from now on.",
  reset: "Your password is changed. Sign in with the new one.",
  deleted: "Your account is deleted.",
};
const led = Object.keys(NOTES).find((name) => query.has(name));

const goOn = (to = safeNext(query.get("next"))) => location.replace(to);

async function submit(event) {
  event.preventDefault();
  const missing = [...form.elements].find((field) => field.willValidate && !field.checkValidity());
  if (missing) return complain(missing);
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  say(problem, null);
  try {
    await signIn({ email: form.email.value.trim(), password: password.value, remember: form.remember.checked });
    goOn();
  } catch (error) {
    say(problem, error.message);
    password.select();
  } finally {
    button.disabled = false;
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
    // The form is there anyway.
  }
}

form.addEventListener("submit", submit);
connectShowButtons(form);
note.textContent = NOTES[led] ?? "";
if (!led) skipWhenSignedIn();
if (led === "email_changed") skipWhenSignedIn(`/account/${location.search}`); // which says it as well
