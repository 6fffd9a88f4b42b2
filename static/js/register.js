// The page for registering: first the form, then what to do with the mail.

import { post, safeNext, signIn } from "./site/api.js";
import { say } from "./site/dom.js";
import { Form, whileBusy } from "./site/forms.js";
import { carryAddress, forgetTyped, recallTyped, rememberTyped, rememberWaiting } from "./site/typed.js";

const byId = (id) => document.getElementById(id);
const form = byId("register-form");
const { confirmBy } = byId("main").dataset; // link or code
const register = (values) => post("/users/register/", values);

// The values that were sent, to send them again and to sign in; after a reload only the address is known.
let registration = null;

new Form(form, {
  send: register,
  validate: ({ password, confirm_password: again }) =>
    again && again !== password ? { confirm_password: "The two passwords do not match." } : {},
  onSent: (answer, values) => {
    registration = values;
    rememberTyped({ isRegistered: true });
    rememberWaiting(values.email);
    show(true);
  },
});

const codeForm = new Form(byId("code-form"), {
  send: ({ otp }) => post("/api/v1/auth/verify-email/", { email: registration.email, otp: otp.replace(/\s/g, "") }),
  onSent: enter,
});

/** Signs in where the password is still known, else leads to the sign-in page. */
async function enter() {
  try {
    if (!registration.password) throw new Error("The page was loaded again.");
    await signIn({ email: registration.email, password: registration.password });
    forgetTyped();
    location.replace(safeNext(null));
  } catch {
    location.replace("/login/?confirmed=1");
  }
}

function show(isRegistered) {
  form.hidden = isRegistered;
  byId("registered").hidden = !isRegistered;
  byId("registered-sentence").textContent = isRegistered
    ? `Check your mailbox: we have sent a ${confirmBy} to ${registration.email}. It works for a day.`
    : "";
  if (isRegistered) byId("registered-title").focus();
}

function startAgain() {
  codeForm.clear();
  byId("code-form").reset();
  sayOutcome({});
  show(false);
  byId("send-again").hidden = false;
  registration = null;
  rememberTyped({ isRegistered: false });
  form.elements.email.select();
}

async function sendAgain() {
  sayOutcome({});
  try {
    await (registration.password ? register(registration) : post("/users/forgot-password/", { email: registration.email }));
    sayOutcome({ done: "Sent again. Only the newest mail works." });
  } catch (error) {
    sayOutcome({ problem: error.message });
  }
}

function sayOutcome({ problem = null, done = "" }) {
  say(byId("not-sent-again"), problem);
  byId("sent-again").textContent = done;
}

/** Restores what was on the page before it was reloaded; passwords have to be typed again. */
function restore() {
  const { name, email, isRegistered } = recallTyped();
  form.elements.name.value ||= name ?? "";
  carryAddress(form.elements.email);
  form.elements.name.addEventListener("input", ({ target }) => rememberTyped({ name: target.value.trim() }));
  if (!isRegistered || !email) return;
  registration = { email };
  // An identity provider sends another mail only when the whole form is sent again.
  byId("send-again").hidden = confirmBy === "code";
  show(true);
}

restore();
byId("send-again").addEventListener("click", ({ target }) => whileBusy(target, sendAgain));
byId("other-address").addEventListener("click", startAgain);
