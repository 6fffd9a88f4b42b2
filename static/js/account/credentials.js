// The parts of the account page where this site keeps the accounts: address, password, devices, deletion.

import { post } from "../site/api.js";
import { Form } from "../site/forms.js";
import { connectLeaving } from "./leaving.js";
import { SessionList } from "./sessionlist.js";

const byId = (id) => document.getElementById(id);
const sessions = new SessionList();

new Form(byId("email-form"), {
  send: (values) => post("/api/v1/auth/email/change/", values),
  onSent: (answer, { new_email: address }) => {
    byId("email-form").reset();
    return `We have sent a link to ${address}. Follow it to confirm your new address.`;
  },
});

new Form(byId("password-form"), {
  send: ({ current_password, new_password }) =>
    post("/api/v1/auth/password/change/", { current_password, new_password }),
  validate: ({ new_password: password, again }) =>
    again && again !== password ? { again: "The two passwords do not match." } : {},
  onSent: () => {
    sessions.load();
    return "Your password has been changed. Every other device is signed out.";
  },
});

connectLeaving();
sessions.load();
