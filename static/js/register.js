// The page where people register: the form, then what to do with the mail.

import { post } from "./api.js";
import { say } from "./dom.js";
import { Form, whileBusy } from "./forms.js";

const byId = (id) => document.getElementById(id);
const form = byId("register-form");
const { confirmBy } = byId("main").dataset; // link or code
const register = (values) => post("/users/register/", values);

let registration = null; // what was sent, to send it again

new Form(form, {
  send: register,
  object: ({ password, confirm_password: again }) =>
    again && again !== password ? { confirm_password: "The two passwords differ." } : {},
  onSent: (answer, values) => {
    registration = values;
    show(true);
  },
});

const codeForm = new Form(byId("code-form"), {
  send: ({ otp }) => post("/api/v1/auth/verify-email/", { email: registration.email, otp: otp.replace(/\s/g, "") }),
  onSent: () => location.replace("/login/?confirmed=1"),
});

function show(isRegistered) {
  form.hidden = isRegistered;
  byId("registered").hidden = !isRegistered;
  byId("registered-sentence").textContent = isRegistered
    ? `Look into your mailbox: we have sent a ${confirmBy} to ${registration.email}. It works for a day.`
    : "";
  if (isRegistered) byId("registered-title").focus();
}

function startAgain() {
  codeForm.clear();
  byId("code-form").reset();
  sayOutcome({});
  show(false);
  registration = null;
  form.elements.email.select();
}

async function sendAgain() {
  sayOutcome({});
  try {
    await register(registration);
    sayOutcome({ done: "Sent again. Only the newest mail counts." });
  } catch (error) {
    sayOutcome({ problem: error.message });
  }
}

function sayOutcome({ problem = null, done = "" }) {
  say(byId("not-sent-again"), problem);
  byId("sent-again").textContent = done;
}

byId("send-again").addEventListener("click", ({ target }) => whileBusy(target, sendAgain));
byId("other-address").addEventListener("click", startAgain);
