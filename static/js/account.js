// The account page: profile, address, password, devices, data, leaving.

import { get, post, request } from "./api.js";
import { say } from "./dom.js";
import { Form, whileBusy } from "./forms.js";
import { connectLeaving } from "./leaving.js";
import { showName, whoIsHere } from "./person.js";
import { SessionList } from "./sessionlist.js";

const PROFILE = "/users/profile/";
const byId = (id) => document.getElementById(id);
const main = byId("main");
const sessions = new SessionList();

async function load() {
  try {
    const [profile] = await Promise.all([get(PROFILE), whoIsHere(), sessions.load()]);
    showProfile(profile);
    main.dataset.state = "ready";
    byId("sections").hidden = false;
    welcomeBack();
  } catch (error) {
    main.dataset.state = "error";
    say(byId("account-problem"), `${error.message} Reload the page to try again.`);
  }
}

function showProfile(profile) {
  for (const name of ["name", "phone", "address"]) byId("profile-form").elements[name].value = profile[name];
  for (const id of ["email-now", "leave-email"]) byId(id).textContent = profile.email;
  for (const id of ["password-of", "leave-of"]) byId(id).value = profile.email;
  showName(profile);
}

/** The link in the mail leads here. */
function welcomeBack() {
  if (!new URLSearchParams(location.search).has("email_changed")) return;
  byId("account-note").textContent = "Your new address is confirmed. Sign in with it from now on.";
  history.replaceState(null, "", location.pathname);
}

new Form(byId("profile-form"), {
  send: (values) => request("PATCH", PROFILE, values),
  onSent: (profile) => {
    showProfile(profile);
    return "Saved.";
  },
});

new Form(byId("email-form"), {
  send: (values) => post("/api/v1/auth/email/change/", values),
  onSent: (answer, { new_email: address }) => {
    byId("email-form").reset();
    return `We have sent a link to ${address}. Follow it, and the address is yours.`;
  },
});

new Form(byId("password-form"), {
  send: ({ current_password, new_password }) =>
    post("/api/v1/auth/password/change/", { current_password, new_password }),
  object: ({ new_password: password, again }) =>
    again && again !== password ? { again: "The two passwords differ." } : {},
  onSent: () => {
    sessions.load();
    return "Your password is changed. Every other device is signed out.";
  },
});

// --- The export ---

async function download() {
  say(byId("export-problem"), null);
  byId("export-done").textContent = "";
  try {
    // By script and not by a link: a session that has to be renewed first would end in a page of JSON.
    save(JSON.stringify(await get("/api/v1/auth/export/"), null, 2));
    byId("export-done").textContent = "Downloaded.";
  } catch (error) {
    say(byId("export-problem"), error.message);
  }
}

function save(text) {
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href, download: "videoflix-account.json" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // the browser may still be reading
}

byId("export").addEventListener("click", ({ target }) => whileBusy(target, download));
connectLeaving();
load();
