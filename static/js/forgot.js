// The page where people ask for a link to choose a new password.

import { post } from "./site/api.js";
import { Form } from "./site/forms.js";
import { carryAddress } from "./site/typed.js";

const form = document.getElementById("forgot-form");

new Form(form, {
  send: (values) => post("/users/forgot-password/", values),
  // The sentence is the same for every address, so that nobody can find out who has an account.
  onSent: (answer, { email }) => `If ${email} has an account here, a link is on its way. Check your mailbox.`,
});
carryAddress(form.elements.email);
