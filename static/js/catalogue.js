// The catalogue page: loads the films, keeps search and order in the address, follows films in the making.

import { get } from "./site/api.js";
import { Card } from "./catalogue/card.js";
import { reportBack } from "./site/connection.js";
import { farewellOf, sayFarewell, showFarewell } from "./site/farewell.js";
import { Favorites } from "./catalogue/favorites.js";
import { mayManage, mayUpload, whoIsHere } from "./site/person.js";
import { Poll } from "./site/poll.js";
import { emptyElement, heroElement, problemElement, resultsElement, rowElement } from "./catalogue/shelf.js";
import { billboardOf, favoritesRow, matching, nextToAsk, rowsOf, sorted } from "./catalogue/shelves.js";
import { isUnderway } from "./catalogue/status.js";
import { recallPosition } from "./site/store.js";

const TYPING_PAUSE_MS = 150;
const UNDERWAY = "/api/v1/videos/?underway=1&page_size=100";

const main = document.getElementById("main");
const form = document.getElementById("find");
const heroSlot = document.getElementById("hero");
const rowsSlot = document.getElementById("rows");
const resultCount = document.getElementById("result-count");

const favorites = new Favorites({ onChange: renderFavorites });
const poll = new Poll(followUnderway);
let person = null;
let videos = [];
let categories = [];
let cards = [];
let turn = 0;
let typingTimer = null;

async function load() {
  main.dataset.state = "loading";
  try {
    person ??= await whoIsHere();
    [videos, categories] = await Promise.all([get("/content/"), get("/content/categories/"), favorites.load()]);
    reportBack();
    render();
  } catch (error) {
    main.dataset.state = "error";
    heroSlot.replaceChildren();
    fillRows(problemElement(error.message, load));
  }
}

// --- What is shown ---

function render() {
  cards = [];
  heroSlot.replaceChildren();
  const query = form.q.value.trim();
  const slug = new URLSearchParams(location.search).get("category");
  const category = categories.find((candidate) => candidate.slug === slug);
  if (query || category) renderFound(query, category);
  else renderShelves();
  if (videos.some(isUnderway)) poll.start();
}

function renderShelves() {
  const ordered = sorted(videos, form.sort.value);
  const hero = billboardOf(videos);
  if (hero) heroSlot.append(heroElement(hero, favorites));
  const rows = rowsOf(ordered, categories, favorites, recallPosition);
  fillRows(...rows.map(filledRow));
  resultCount.textContent = "";
  main.dataset.state = videos.length ? "ready" : "empty";
  if (!videos.length) fillRows(emptyElement(mayUpload(person)));
}

function renderFound(query, category) {
  const inCategory = category ? videos.filter((video) => video.category === category.name) : videos;
  const found = sorted(matching(inCategory, query), form.sort.value);
  const count = `${found.length} ${found.length === 1 ? "film" : "films"}`;
  const title = query ? `${count} for “${query}”${category ? ` in ${category.name}` : ""}` : category.name;
  fillRows(resultsElement(title, found.map((video) => cardElement(video, { hasCategory: !category }))));
  resultCount.textContent = count;
  main.dataset.state = "ready";
}

function fillRows(...elements) {
  rowsSlot.replaceChildren(...elements);
  rowsSlot.removeAttribute("aria-busy");
}

function filledRow(row) {
  return rowElement(row, row.videos.map((video) => cardElement(video, { hasCategory: !row.href })));
}

function cardElement(video, { hasCategory }) {
  const onRetried = mayManage(person, video) ? () => expectWork(video) : null;
  const onRemoved = onRetried && (() => sayGone(video));
  const card = new Card(video, { favorites, onRetried, onRemoved, hasCategory });
  cards.push(card);
  return card.element;
}

/** Renders this row alone, so that the others keep their scroll position and the keyboard its focus. */
function renderFavorites() {
  const old = rowsSlot.querySelector("[data-row=favourites]");
  if (!old && main.querySelector(".grid")) return;
  const hadFocus = old?.contains(document.activeElement);
  const row = favoritesRow(sorted(videos, form.sort.value), favorites);
  old?.remove();
  if (row.videos.length) placeFavorites(filledRow(row));
  if (hadFocus) rowsSlot.querySelector("h2")?.focus();
}

function placeFavorites(element) {
  const before = [...rowsSlot.querySelectorAll("[data-row=underway], [data-row=failed], [data-row=continue]")].at(-1);
  if (before) before.after(element);
  else rowsSlot.prepend(element);
}

// --- Following what is being processed ---

async function followUnderway() {
  const before = videos.filter(isUnderway);
  const now = await newsOf(before);
  const answered = before.filter(({ id }) => now.has(id));
  answered.forEach(({ id }) => take(id, now.get(id)));
  if (answered.some((video) => looksOf(video) !== looksOf(now.get(video.id)))) render();
  return videos.some(isUnderway);
}

/**
 * Resolves to a Map from id to the film as it is now, or to null for a film that is gone. One request covers all films
 * that are still under way; the others are asked for one by one, a few in each turn.
 */
async function newsOf(asked) {
  const { results } = await get(UNDERWAY);
  const now = new Map(results.map((video) => [video.id, video]));
  const settled = nextToAsk(asked.filter(({ id }) => !now.has(id)), turn++);
  const answers = await Promise.all(settled.map(({ id }) => getUnlessGone(id)));
  settled.forEach(({ id }, position) => now.set(id, answers[position]));
  return now;
}

/** Cards have to be rendered again when this changes; they update everything else in place. */
const looksOf = (video) => `${video?.is_playable}, ${["ready", "error"].indexOf(video?.processing_state)}`;

/** Resolves to null for a film that was removed meanwhile. */
async function getUnlessGone(id) {
  try {
    return await get(`/content/${id}/`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

function take(id, video) {
  videos = video ? videos.map((known) => (known.id === id ? video : known)) : videos.filter((known) => known.id !== id);
  if (video) cards.filter((card) => card.video.id === id).forEach((card) => card.update(video));
}

function sayGone(video) {
  take(video.id, null);
  render();
  showFarewell(farewellOf(video, person), load);
}

function expectWork(video) {
  take(video.id, { ...video, processing_state: "pending", processing_error: "", can_retry: false });
  const hadFocus = document.activeElement?.closest(`[data-video="${video.id}"]`);
  render(); // it is in another row now
  if (hadFocus) main.querySelector(`.card[data-video="${video.id}"] a`)?.focus();
  poll.start();
}

// --- Search and order ---

function readAddress() {
  const parameters = new URLSearchParams(location.search);
  form.q.value = parameters.get("q") ?? "";
  form.sort.value = parameters.get("sort") ?? "newest";
  if (form.sort.selectedIndex < 0) form.sort.value = "newest";
}

function writeAddress() {
  const parameters = new URLSearchParams(location.search);
  const search = { q: form.q.value.trim(), sort: form.sort.value === "newest" ? "" : form.sort.value };
  for (const [name, value] of Object.entries(search)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const address = parameters.size ? `/?${parameters}` : "/";
  // Going back from the results leads to the shelves, not letter by letter through the search.
  const isNewSearch = search.q && !new URLSearchParams(location.search).has("q");
  history[isNewSearch ? "pushState" : "replaceState"](null, "", address);
}

function find() {
  clearTimeout(typingTimer);
  writeAddress();
  if (person && main.dataset.state !== "error") render();
}

function onInput({ target }) {
  clearTimeout(typingTimer);
  if (target === form.q) typingTimer = setTimeout(find, TYPING_PAUSE_MS);
  else find();
}

function onBack() {
  readAddress();
  if (person && main.dataset.state !== "error") render();
}

form.addEventListener("input", onInput);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
window.addEventListener("popstate", onBack);
window.addEventListener("online", () => main.dataset.state === "error" && load());
readAddress();
sayFarewell(load);
load();
