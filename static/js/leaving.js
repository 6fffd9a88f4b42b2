// Deleting one's account: asked once more, with the password.

import { request, signOut } from "./api.js";
import { Form } from "./forms.js";

const dialog = document.getElementById("leave");

async function leave() {
  try {
    await signOut(); // so that this browser forgets as well
  } catch {
    // The account is gone all the same.
  }
  location.replace("/login/?deleted=1"); // instead of where signing out leads
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
