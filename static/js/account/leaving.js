// Deletes the person's own account, after a question that asks for the password.

import { request, signOut } from "../site/api.js";
import { Form } from "../site/forms.js";

const dialog = document.getElementById("leave");

async function leave() {
  try {
    await signOut(); // this browser forgets the person too
  } catch {
    // The account is deleted even if signing out fails.
  }
  location.replace("/login/?deleted=1"); // replaces the address that signOut() has set
}

export function connectLeaving() {
  const form = new Form(document.getElementById("leave-form"), {
    send: ({ password }) => request("DELETE", "/api/v1/auth/me/", { password }),
    onSent: leave,
  });
  document.getElementById("delete").addEventListener("click", () => dialog.showModal());
  dialog.querySelectorAll("[data-keep]").forEach((button) => button.addEventListener("click", () => dialog.close()));
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => form.clear());
}
