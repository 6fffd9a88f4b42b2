// The person who is signed in: fills the header and tells the pages what the person may do.

import { get, signOut } from "./api.js";
import { reportLost } from "./connection.js";

export const mayUpload = (person) => person.role === "CREATOR" || person.role === "ADMIN";
export const mayManage = (person, video) => person.role === "ADMIN" || person.id === video.owner;

/** Resolves to the person; leaves for the sign-in page when nobody is signed in. */
export async function whoIsHere() {
  const person = await get("/api/v1/auth/me");
  fillHeader(person);
  return person;
}

export function showName({ name, email }) {
  document.querySelector("[data-person]").textContent = name || email;
}

function fillHeader(person) {
  const nav = document.querySelector("[data-signed-in]");
  showName(person);
  nav.querySelector("[data-for-uploaders]").hidden = !mayUpload(person);
  nav.querySelector("[data-for-admins]").hidden = person.role !== "ADMIN";
  nav.querySelector("[data-sign-out]").addEventListener("click", leave);
  nav.hidden = false;
}

async function leave() {
  try {
    await signOut();
  } catch (error) {
    reportLost(error);
  }
}
