// The account page: profile and export. Address, password, devices and deletion are in credentials.js.

import { get, request } from "./site/api.js";
import { say } from "./site/dom.js";
import { Form, whileBusy } from "./site/forms.js";
import { showName, whoIsHere } from "./site/person.js";

const PROFILE = "/users/profile/";
const byId = (id) => document.getElementById(id);
const main = byId("main");

async function load() {
  try {
    const [profile] = await Promise.all([get(PROFILE), whoIsHere()]);
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
  for (const element of document.querySelectorAll("[data-email]")) {
    element[element.matches("input") ? "value" : "textContent"] = profile.email;
  }
  showName(profile);
}

/** The confirmation link in the mail leads to this page with `email_changed` in its address. */
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

// --- The export ---

async function download() {
  say(byId("export-problem"), null);
  byId("export-done").textContent = "";
  try {
    // Fetched by script: with an expired session a plain link would open a page of JSON instead of renewing it.
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
load();
