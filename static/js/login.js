// The sign-in page.

import { get, renewSession, safeNext, signIn, wasSignedIn } from "./api.js";
import { say } from "./dom.js";

const form = document.getElementById("login-form");
const problem = document.getElementById("login-problem");
const password = document.getElementById("password");
const show = document.getElementById("show-password");

const goOn = () => location.replace(safeNext(new URLSearchParams(location.search).get("next")));

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

function togglePassword() {
  const isShown = password.type === "password";
  password.type = isShown ? "text" : "password";
  show.textContent = isShown ? "Hide" : "Show";
  show.setAttribute("aria-pressed", isShown);
}

async function skipWhenSignedIn() {
  if (!wasSignedIn()) return;
  try {
    if (await renewSession()) {
      await get("/api/v1/auth/me");
      goOn();
    }
  } catch {
    // The form is there anyway.
  }
}

form.addEventListener("submit", submit);
show.addEventListener("click", togglePassword);
skipWhenSignedIn();
