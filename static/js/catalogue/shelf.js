// The parts of the catalogue page as elements.

import { watchPath } from "./card.js";
import { el, icon } from "../site/dom.js";
import { length } from "../site/format.js";
import { widePicture } from "./picture.js";

export function heroElement(video, favorites) {
  const facts = [video.category, video.duration === null ? null : length(video.duration)].filter(Boolean).join(" · ");
  const address = { href: watchPath(video), "data-testid": "hero-watch" };
  const watch = el("a", { class: "button primary", ...address }, icon("play"), "Watch");
  return el(
    "section",
    { class: "hero", "aria-labelledby": "hero-title", "data-testid": "hero", "data-video": video.id },
    el("span", { class: "poster" }, icon("film"), video.image_small && widePicture(video)),
    el(
      "div",
      { class: "hero-text" },
      el("p", { class: "hero-kicker" }, video.is_featured ? "Featured" : "New"),
      el("h2", { id: "hero-title" }, video.title),
      facts && el("p", { class: "hero-facts" }, facts),
      video.description && el("p", { class: "hero-description" }, video.description),
      el("div", { class: "actions" }, watch, favorites.button(video)),
    ),
  );
}

/** `row`: see shelves.js; `cards`: the elements of its films. */
export function rowElement(row, cards) {
  const track = el("ul", { class: "row-track" }, ...cards);
  const title = row.href ? el("a", { href: row.href }, row.title) : row.title;
  const heading = el("h2", { id: `row-${row.key}`, tabindex: -1 }, title);
  const arrows = el("span", { class: "row-arrows" }, arrow("previous", track, -1), arrow("next", track, 1));
  const attributes = { "aria-labelledby": `row-${row.key}`, "data-row": row.key, "data-count": cards.length };
  const head = el("div", { class: "row-head" }, heading, arrows);
  const section = el("section", { class: "row", "data-testid": "row", ...attributes }, head, track);
  new ResizeObserver(() => (section.dataset.overflows = track.scrollWidth > track.clientWidth)).observe(track);
  return section;
}

/** An arrow for the mouse only: the keyboard moves from card to card. */
function arrow(name, track, direction) {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const scroll = () => track.scrollBy({ left: direction * track.clientWidth * 0.9, behavior });
  const attributes = { class: "row-arrow", type: "button", tabindex: -1, "aria-hidden": "true", onclick: scroll };
  return el("button", attributes, icon(name));
}

export function resultsElement(title, cards) {
  const all = el("a", { class: "button quiet small", href: "/" }, "All films");
  const head = el("div", { class: "row-head" }, el("h2", {}, title), all);
  const grid = el("ul", { class: "grid", "data-testid": "results" }, ...cards);
  return el("section", { class: "row" }, head, cards.length ? grid : nothingFound());
}

function nothingFound() {
  const sentence = el("p", {}, "No film matches your search.");
  const hint = el("p", { class: "muted" }, "Try fewer or different words.");
  return el("div", { class: "empty", "data-testid": "nothing-found" }, icon("search"), sentence, hint);
}

export function emptyElement(mayUpload) {
  const hint = mayUpload
    ? el("a", { class: "button primary", href: "/upload/" }, "Upload the first film")
    : el("p", { class: "muted" }, "Come back when someone has added a film.");
  return el("div", { class: "empty", "data-testid": "empty" }, icon("film"), el("h2", {}, "No films yet"), hint);
}

export function problemElement(message, onRetry) {
  const again = el("button", { class: "button primary", type: "button", onclick: onRetry }, "Try again");
  const sentence = el("p", { role: "alert" }, message);
  return el("div", { class: "empty", "data-testid": "problem" }, icon("alert"), sentence, again);
}
