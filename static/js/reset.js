// The page for choosing a new password, to which the link in the mail leads.

import { post } from "./site/api.js";
import { Form } from "./site/forms.js";

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const link = { uid: query.get("uid"), token: query.get("token") };
// The token must not stay on the screen, in the history or in a bookmark.
history.replaceState(null, "", location.pathname);

const isAboutLink = ({ code, fields }) => ["invalid_link", "link_expired"].includes(code) || fields.uid || fields.token;

function refuse() {
  byId("reset-form").hidden = true;
  byId("invalid-link").hidden = false;
  byId("invalid-title").focus();
}

async function reset({ new_password: password }) {
  try {
    await post("/users/reset-password/", { ...link, new_password: password });
  } catch (error) {
    if (isAboutLink(error)) refuse();
    throw error;
  }
}

new Form(byId("reset-form"), {
  send: reset,
  validate: ({ new_password: password, again }) =>
    again && again !== password ? { again: "The two passwords do not match." } : {},
  onSent: () => location.replace("/login/?reset=1"),
});
if (!link.uid || !link.token) refuse();
