// The page for people who have forgotten their password.

import { post } from "./api.js";
import { Form } from "./forms.js";
import { carryAddress } from "./typed.js";

const form = document.getElementById("forgot-form");

new Form(form, {
  send: (values) => post("/users/forgot-password/", values),
  // The same for every address: who has an account here is nobody else's business.
  onSent: (answer, { email }) => `If ${email} has an account here, a link is on its way. Check your mailbox.`,
});
carryAddress(form.elements.email);
