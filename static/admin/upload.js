// Sends the form of a video together with a file: with a progress bar, and without losing anything when it fails. A
// large file is uploaded first, and the form then only names it. Without a file the browser sends the form as usual.

import { ApiError, errorFrom } from "../js/site/api.js";
import { el, say } from "../js/site/dom.js";
import { size } from "../js/site/format.js";
import { TransferPanel } from "../js/uploads/transferpanel.js";
import { LARGE_BYTES, openUpload } from "../js/uploads/transfers.js";
import { Cancelled, Meter } from "../js/uploads/uploader.js";
import { ask, csrfToken, leadsToSignIn, SESSION_OVER } from "./ask.js";
import { shieldFileInputs } from "./in_place.js";

const byId = (id) => document.getElementById(id);
const form = byId("video_form");
const file = byId("id_video_file");
const dialog = byId("transfer");

const BROKEN = "The connection broke before the whole file had arrived. Nothing was kept; press Save to try again.";
const CANCELLED = "Upload cancelled. Nothing was kept.";

const panel = new TransferPanel();
// The large file that is in the storage already because the form was refused the first time: {file, key}.
let uploaded = null;

// --- Choosing ---

const types = file?.accept.split(",") ?? [];

/** Returns why this file cannot be sent, as a sentence; empty when it can. */
function objection(chosen) {
  if (!chosen) return "";
  const extension = chosen.name.slice(chosen.name.lastIndexOf(".")).toLowerCase();
  if (!types.includes(extension)) return `Choose a video file: ${types.join(", ")}.`;
  if (chosen.size === 0) return "The file is empty.";
  const maxBytes = Number(file.dataset.maxBytes);
  return chosen.size > maxBytes ? `This file is ${size(chosen.size)} large; the limit is ${size(maxBytes)}.` : "";
}

function choose() {
  const sentence = objection(file.files[0]);
  file.setCustomValidity(sentence);
  showFieldProblems({ video_file: sentence });
  if (file.files.length && !sentence) prefillTitle(file.files[0].name);
}

/** Takes the title from the file's name, unless there is one already. */
function prefillTitle(fileName) {
  const { title } = form.elements;
  if (!title.value.trim()) title.value = fileName.replace(/\.[^.]+$/, "").replace(/[_\s]+/g, " ").trim().slice(0, 200);
}

// --- Sending ---

async function submit(event) {
  // In a pop-up the answer is a page, which hands the result to the page that opened it.
  if (!file.files.length || form.elements._popup) return;
  event.preventDefault();
  clearProblems();
  if (!form.reportValidity()) return;
  const chosen = file.files[0];
  panel.open(`Uploading “${chosen.name}”`, chosen.size);
  dialog.showModal();
  window.addEventListener("beforeunload", warn);
  let location = null;
  try {
    ({ location } = await bring(chosen, new FormData(form, event.submitter)));
  } catch (error) {
    showProblem(error);
  } finally {
    window.removeEventListener("beforeunload", warn);
    dialog.close();
  }
  if (location) leaveFor(location);
}

async function bring(chosen, body) {
  if (chosen.size <= LARGE_BYTES) return send(body);
  body.delete("video_file");
  body.set("upload_key", await keyOf(chosen));
  try {
    return await send(body);
  } catch (error) {
    if (error.fields?.video_file) uploaded = null;
    throw error;
  }
}

async function keyOf(chosen) {
  if (uploaded?.file !== chosen) {
    const listener = { onProgress: panel.onProgress, onState: panel.onState };
    const upload = await openUpload(dialog.dataset.direct, chosen, { client, listener });
    panel.connect(upload);
    uploaded = { file: chosen, key: await upload.run() };
  }
  return uploaded.key;
}

/** The API accepts the admin site's session together with its CSRF token. */
const client = {
  post: (path, body) => ask(path, { method: "POST", body: JSON.stringify(body), headers: apiHeaders() }),
  renew: async () => false,
  headers: () => ({ "X-CSRFToken": csrfToken() }),
};
const apiHeaders = () => ({ ...client.headers(), "Content-Type": "application/json" });

const warn = (event) => event.preventDefault();

/** Leaves the page without unfold's question about unsaved changes: they are saved by now. */
function leaveFor(location) {
  window.addEventListener("beforeunload", (event) => event.stopImmediatePropagation(), { capture: true });
  window.location.assign(location);
}

async function send(body) {
  // Checks the session first: the server's refusal of a large file could be read only after all of it was sent.
  await ask(dialog.dataset.liveUrl);
  // The cookie's token is used: the form's own is outdated once the person has signed in again in another tab.
  body.delete("csrfmiddlewaretoken");
  const request = new XMLHttpRequest();
  panel.connect({ cancel: () => request.abort() });
  return new Promise((resolve, reject) => {
    const meter = new Meter();
    request.upload.onprogress = ({ loaded, total }) => panel.onProgress(meter.measure(loaded, total));
    request.onabort = () => reject(new Cancelled());
    request.onerror = () => reject(new ApiError(0, "broken", BROKEN));
    request.onload = () => {
      const { status, responseText, responseURL } = request;
      if (status === 201) resolve(JSON.parse(responseText));
      else if (leadsToSignIn(responseURL)) reject(new ApiError(401, "not_signed_in", SESSION_OVER));
      else reject(errorFrom(status, responseText));
    };
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.send(body);
  });
}

// --- Problems ---

function showProblem(error) {
  const sentence = error instanceof Cancelled ? CANCELLED : isSessionOver(error) ? SESSION_OVER : error.message;
  const rest = showFieldProblems(error.fields ?? {});
  say(problemOfForm(), [sentence, ...rest].join(" "));
  (form.querySelector(".vf-field-problem") ?? problemOfForm()).scrollIntoView({ block: "center" });
}

const isSessionOver = ({ status, code }) => status === 401 || code === "not_signed_in";

/** Shows each sentence beside its field. Returns the sentences whose field is not on the form. */
function showFieldProblems(fields) {
  const unplaced = [];
  for (const [name, sentence] of Object.entries(fields)) {
    const place = form.querySelector(`.field-line.field-${CSS.escape(name)} > .grow`);
    if (!place) {
      unplaced.push(sentence);
      continue;
    }
    let note = place.querySelector(".vf-field-problem");
    if (!note) place.append((note = el("p", { class: "vf-field-problem", role: "alert" })));
    say(note, sentence);
  }
  return unplaced;
}

function clearProblems() {
  form.querySelectorAll(".vf-field-problem").forEach((note) => note.remove());
  say(problemOfForm(), null);
}

function problemOfForm() {
  let note = byId("upload-problem");
  if (!note) {
    note = el("p", { class: "vf-problem", id: "upload-problem", role: "alert", "data-testid": "upload-problem", hidden: true });
    form.prepend(note);
  }
  return note;
}

if (file) {
  shieldFileInputs();
  file.addEventListener("change", choose);
  // A file that is dropped beside the control would replace the page.
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => event.target === file || event.preventDefault());
  }
  form.addEventListener("submit", submit);
  dialog.addEventListener("cancel", () => panel.cancel());
}
