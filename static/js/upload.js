// The upload page: choose, check, send, then follow the film until it can be watched.

import { get, leaveForLogin } from "./api.js";
import { watchPath } from "./card.js";
import { el, say } from "./dom.js";
import { size, timeLeft } from "./format.js";
import { mayUpload, whoIsHere } from "./person.js";
import { Poll } from "./poll.js";
import { Preflight } from "./preflight.js";
import { isUnderway, Status } from "./status.js";
import { Cancelled, Transfer } from "./uploader.js";

const byId = (id) => document.getElementById(id);
const main = byId("main");
const form = byId("upload-form");
const fields = form.elements;
const dropZone = byId("drop-zone");
const maxBytes = Number(main.dataset.maxUploadMb) * 1024 ** 2;
const fileTypes = main.dataset.fileTypes.split(",");

const VIEWERS_CANNOT = "Only creators and admins can upload. Ask an admin to make you a creator.";

let file = null;
let titleFromFile = "";
let transfer = null;

async function load() {
  try {
    const [person, categories] = await Promise.all([whoIsHere(), get("/content/categories/")]);
    if (!mayUpload(person)) return refuse(VIEWERS_CANNOT);
    fields.category.append(...categories.map(({ name, slug }) => el("option", { value: slug }, name)));
    show("choosing");
  } catch (error) {
    refuse(`${error.message} Reload the page to try again.`);
  }
}

function refuse(sentence) {
  main.dataset.state = "refused";
  say(byId("refused"), sentence);
}

/** state: choosing, sending, sent */
function show(state) {
  main.dataset.state = state;
  form.hidden = state !== "choosing";
  byId("transfer").hidden = state !== "sending";
  byId("outcome").hidden = state !== "sent";
}

// --- Choosing ---

/** Why this file cannot be sent, as a sentence; null when it can. */
function objection(candidate) {
  const extension = candidate.name.slice(candidate.name.lastIndexOf(".")).toLowerCase();
  if (!fileTypes.includes(extension)) {
    return `“${candidate.name}” does not look like a video. Choose one of: ${fileTypes.join(", ")}.`;
  }
  if (candidate.size === 0) return `“${candidate.name}” is empty.`;
  if (candidate.size > maxBytes) {
    return `“${candidate.name}” has ${size(candidate.size)}; the most that can be uploaded is ${size(maxBytes)}.`;
  }
  return null;
}

function choose(candidate) {
  if (!candidate) return;
  const sentence = objection(candidate);
  say(byId("file-problem"), sentence);
  file = sentence ? null : candidate;
  dropZone.dataset.hasFile = Boolean(file);
  byId("file-note").textContent = file ? `${file.name}, ${size(file.size)}` : fileNote();
  if (file) prefillTitle(file.name);
}

const fileNote = () => `A video of at most ${size(maxBytes)}.`;

/** A title that somebody has typed is left alone. */
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

async function submit(event) {
  event.preventDefault();
  if (!isComplete()) return;
  showProgress({ sent: 0, total: file.size, bytesPerSecond: null, secondsLeft: null });
  byId("transfer-title").textContent = `Uploading “${fields.title.value.trim()}”`;
  show("sending");
  byId("cancel-upload").focus();
  transfer = new Transfer();
  window.addEventListener("beforeunload", warn);
  try {
    follow(await transfer.send(formData(), showProgress));
  } catch (error) {
    showProblem(error);
  } finally {
    window.removeEventListener("beforeunload", warn);
    transfer = null;
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

function formData() {
  const data = new FormData();
  for (const name of ["title", "description", "category", "visibility"]) {
    if (fields[name].value.trim()) data.append(name, fields[name].value.trim());
  }
  data.append("file", file, file.name); // last, so that the server knows the rest before it reads the long part
  return data;
}

function showProgress({ sent, total, bytesPerSecond, secondsLeft }) {
  const percent = Math.min(100, Math.floor((sent / total) * 100));
  byId("transfer-progress").value = percent;
  const isDone = sent >= total;
  byId("transfer-done").textContent = isDone ? "Arriving…" : `${percent} % of ${size(total)}`;
  const rate = bytesPerSecond === null || isDone ? [] : [`${size(bytesPerSecond)}/s`, timeLeft(secondsLeft ?? 0)];
  byId("transfer-rate").textContent = rate.join(", ");
}

function showProblem(error) {
  if (error.status === 401) return leaveForLogin();
  show("choosing");
  const known = Object.entries(error.fields ?? {}).filter(([name, said]) => showFieldProblem(name, said));
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

// --- Following ---

function follow(video) {
  const preflight = new Preflight(video);
  const status = new Status(video, { onRetried: () => poll.start(), preflight });
  const poll = new Poll(async () => isUnderway(showOutcome(await get(`/content/${video.id}/`), status)));
  byId("outcome").dataset.video = video.id;
  byId("outcome").dataset.publicId = video.public_id;
  byId("outcome-title").textContent = video.title;
  byId("outcome-status").replaceChildren(status.element, preflight.element);
  byId("watch-link").href = watchPath(video);
  showOutcome(video, status);
  show("sent");
  byId("outcome").focus();
  byId("upload-another").onclick = () => startAgain(poll);
  if (isUnderway(video)) poll.start();
}

function showOutcome(video, status) {
  status.update(video);
  byId("outcome").dataset.state = video.processing_state;
  byId("watch-link").hidden = !video.is_playable;
  return video;
}

function startAgain(poll) {
  poll.stop();
  form.reset();
  file = null;
  delete dropZone.dataset.hasFile;
  byId("file-note").textContent = fileNote();
  show("choosing");
  byId("file").focus();
}

byId("file-note").textContent = fileNote();
byId("file").addEventListener("change", (event) => choose(event.target.files[0]));
byId("cancel-upload").addEventListener("click", () => transfer?.cancel());
form.addEventListener("submit", submit);
dropZone.addEventListener("dragleave", () => delete dropZone.dataset.over);
// Over the whole page: a file dropped beside the zone would otherwise replace the page.
document.addEventListener("dragover", dragOver);
document.addEventListener("drop", drop);
load();
