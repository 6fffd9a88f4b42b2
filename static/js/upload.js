// The upload page: choose a file, check it, send it, then follow the film until it can be watched.

import { ApiError, get, leaveForLogin } from "./site/api.js";
import { watchPath } from "./catalogue/card.js";
import { isGone } from "./uploads/directupload.js";
import { el, say } from "./site/dom.js";
import { farewellOf, showFarewell } from "./site/farewell.js";
import { limitsOf, objectionTo } from "./uploads/filechoice.js";
import { size } from "./site/format.js";
import { mayUpload, whoIsHere } from "./site/person.js";
import { Poll } from "./site/poll.js";
import { Preflight } from "./uploads/preflight.js";
import { isUnderway, Status } from "./catalogue/status.js";
import { TransferPanel } from "./uploads/transferpanel.js";
import { client, discardUpload, LARGE_BYTES, openUpload } from "./uploads/transfers.js";
import { Unfinished } from "./uploads/unfinished.js";
import { Cancelled, Transfer, withSession } from "./uploads/uploader.js";

const byId = (id) => document.getElementById(id);
const main = byId("main");
const form = byId("upload-form");
const fields = form.elements;
const dropZone = byId("drop-zone");
const { fileTypes, maxBytes } = limitsOf(main.dataset);

const METADATA = "/api/v1/upload/videos/metadata/";
const FIELDS = ["title", "description", "category", "visibility"];
const VIEWERS_CANNOT = "Only creators and admins can upload. Ask an admin to make you a creator.";
const ELSEWHERE = "This file is being uploaded in another tab.";

const panel = new TransferPanel();
let person = null;
let file = null;
let titleFromFile = "";
let unfinished = null;

async function load() {
  try {
    let categories = [];
    [person, categories] = await Promise.all([whoIsHere(), get("/content/categories/")]);
    if (!mayUpload(person)) return refuse(VIEWERS_CANNOT);
    fields.category.append(...categories.map(({ name, slug }) => el("option", { value: slug }, name)));
    unfinished = new Unfinished(person);
    await offerUnfinished();
    show("choosing");
  } catch (error) {
    refuse(`${error.message} Reload the page to try again.`);
  }
}

function refuse(sentence) {
  main.dataset.state = "refused";
  say(byId("refused"), sentence);
}

/** `state`: choosing, sending or sent */
function show(state) {
  main.dataset.state = state;
  form.hidden = state !== "choosing";
  byId("unfinished").hidden = state !== "choosing" || !byId("unfinished-text").textContent;
  byId("transfer").hidden = state !== "sending";
  byId("outcome").hidden = state !== "sent";
}

// --- Choosing ---

function choose(candidate) {
  if (!candidate || main.dataset.state !== "choosing") return;
  const sentence = objectionTo(candidate, { fileTypes, maxBytes });
  say(byId("file-problem"), sentence);
  file = sentence ? null : candidate;
  dropZone.dataset.hasFile = Boolean(file);
  byId("file-note").textContent = file ? `${file.name}, ${size(file.size)}` : fileNote();
  if (file) resumeOrPrefill();
}

function resumeOrPrefill() {
  const record = recordOf(file);
  if (!record) return prefillTitle(file.name);
  for (const name of FIELDS) fields[name].value = record.fields[name] ?? "";
  return send(record);
}

const fileNote = () => `A video of up to ${size(maxBytes)}.`;

/** Takes the title from the file's name, unless the person has typed one. */
function prefillTitle(fileName) {
  if (fields.title.value.trim() && fields.title.value !== titleFromFile) return;
  titleFromFile = fileName.replace(/\.[^.]+$/, "").replace(/[_\s]+/g, " ").trim().slice(0, 200);
  fields.title.value = titleFromFile;
}

function drop(event) {
  event.preventDefault();
  delete dropZone.dataset.over;
  choose(event.dataTransfer.files[0]);
}

function dragOver(event) {
  event.preventDefault();
  dropZone.dataset.over = "true";
}

// --- Sending ---

function submit(event) {
  event.preventDefault();
  if (isComplete()) send(recordOf(file));
}

/** `record`: of the earlier upload to continue, or null. */
async function send(record) {
  const values = typedValues();
  panel.open(`Uploading “${values.title}”`, file.size);
  show("sending");
  byId("cancel-upload").focus();
  window.addEventListener("beforeunload", warn);
  let outcome = null;
  try {
    outcome = await (file.size > LARGE_BYTES ? sendBeside(values, record) : sendForm(values));
  } catch (error) {
    outcome = error;
  }
  window.removeEventListener("beforeunload", warn);
  if (outcome instanceof Error) await showProblem(outcome);
  else follow(outcome);
}

function sendForm(values) {
  const transfer = new Transfer();
  panel.connect({ cancel: () => transfer.cancel() });
  return transfer.send(formData(values), panel.onProgress);
}

function sendBeside(values, record) {
  const onRecord = (known) => unfinished.keep({ ...known, fields: values });
  const options = { client, record, listener: { onProgress: panel.onProgress, onState: panel.onState, onRecord } };
  const busy = () => {
    throw new ApiError(0, "busy", ELSEWHERE);
  };
  return unfinished.whileAlone(file, () => withSession(() => sendAndMakeFilm(values, options)), busy);
}

/** Sends the file, then makes the film of it. Resolves to the film. */
async function sendAndMakeFilm(values, options) {
  const upload = await openUpload(main.dataset.direct, file, options);
  panel.connect(upload);
  try {
    const key = await upload.run();
    const video = await upload.persist(() => client.post(METADATA, { ...values, video_s3_key: key }));
    unfinished.forget(file);
    return video;
  } catch (error) {
    if (error instanceof Cancelled || isGone(error)) unfinished.forget(file);
    throw error;
  }
}

function isComplete() {
  clearProblems();
  if (!file) say(byId("file-problem"), byId("file-problem").textContent || "Choose a video first.");
  if (!fields.title.value.trim()) showFieldProblem("title", "Give the film a title.");
  const firstMissing = !file ? byId("file") : fields.title.value.trim() ? null : fields.title;
  firstMissing?.focus();
  return firstMissing === null;
}

function typedValues() {
  const typed = FIELDS.map((name) => [name, fields[name].value.trim()]);
  return Object.fromEntries(typed.filter(([, value]) => value));
}

function formData(values) {
  const data = new FormData();
  for (const [name, value] of Object.entries(values)) data.append(name, value);
  data.append("file", file, file.name); // last, so that the server has the other fields before the long part
  return data;
}

async function showProblem(error) {
  if (error.status === 401) return leaveForLogin();
  await offerUnfinished();
  show("choosing");
  const known = Object.entries(error.fields ?? {}).filter(([name, problem]) => showFieldProblem(name, problem));
  const sentence = error instanceof Cancelled ? "Upload cancelled. Nothing was kept." : error.message;
  if (!known.length) say(byId("form-problem"), sentence);
  form.querySelector("[type=submit]").focus();
  return undefined;
}

/** False when the page has no place for this field. */
function showFieldProblem(name, sentence) {
  const place = name === "file" ? byId("file-problem") : form.querySelector(`[data-problem="${CSS.escape(name)}"]`);
  if (place) say(place, sentence);
  return place !== null;
}

function clearProblems() {
  if (file) say(byId("file-problem"), null);
  form.querySelectorAll("[data-problem], #form-problem").forEach((place) => say(place, null));
}

const warn = (event) => event.preventDefault();

// --- Continuing an unfinished upload ---

const recordOf = (chosen) => {
  const record = unfinished.find(chosen);
  return record?.kind === main.dataset.direct ? record : null;
};

async function offerUnfinished() {
  const [record] = await unfinished.listIdle();
  const isChosen = record && file && recordOf(file)?.key === record.key;
  const advice = isChosen ? "Press Upload to continue" : "Choose the file again to continue";
  byId("unfinished-text").textContent = record
    ? `An upload of “${record.name}” was not finished. ${advice}, or discard it.`
    : "";
  byId("discard-upload").onclick = () => discard(record);
}

async function discard(record) {
  unfinished.forget(record);
  discardUpload(record).catch(() => {}); // the storage removes what cannot be reached now by itself later
  await offerUnfinished();
  show("choosing");
  byId("file").focus();
}

// --- Following ---

let poll = null;

function follow(video) {
  poll?.stop();
  const preflight = new Preflight(video);
  const onRemoved = () => sayGone(video);
  const status = new Status(video, { onRetried: () => poll.start(), onRemoved, preflight });
  poll = new Poll(async () => isUnderway(showOutcome(await get(`/content/${video.id}/`), status)));
  byId("outcome").dataset.video = video.id;
  byId("outcome").dataset.publicId = video.public_id;
  byId("outcome-title").textContent = video.title;
  byId("outcome-status").replaceChildren(status.element, preflight.element);
  showOutcome(video, status);
  show("sent");
  byId("outcome").focus();
  byId("upload-another").onclick = startAgain;
  if (isUnderway(video)) poll.start();
}

function showOutcome(video, status) {
  status.update(video);
  byId("watch-link").href = watchPath(video);
  byId("outcome").dataset.state = video.processing_state;
  byId("watch-link").hidden = !video.is_playable;
  return video;
}

/** After "Undo" the film is shown again, unless the next upload has begun by then. */
async function sayGone(video) {
  await startAgain();
  const isFree = () => main.dataset.state === "choosing";
  showFarewell(farewellOf(video, person), () => isFree() && follow({ ...video, processing_state: "pending" }));
}

async function startAgain() {
  poll.stop();
  form.reset();
  file = null;
  delete dropZone.dataset.hasFile;
  byId("file-note").textContent = fileNote();
  await offerUnfinished();
  show("choosing");
  byId("file").focus();
}

byId("file-note").textContent = fileNote();
byId("file").addEventListener("change", (event) => choose(event.target.files[0]));
form.addEventListener("submit", submit);
dropZone.addEventListener("dragleave", () => delete dropZone.dataset.over);
// Over the whole page: a file dropped beside the zone would otherwise replace the page.
document.addEventListener("dragover", dragOver);
document.addEventListener("drop", drop);
load();
