// One film in a row: poster, title, length, favourite; while it is not ready, what it waits for.

import { ownPath } from "./api.js";
import { el, icon } from "./dom.js";
import { clock, length } from "./format.js";
import { Status } from "./status.js";
import { recallPosition } from "./store.js";

export const watchPath = (video) => `/watch/${video.public_id}/`;

export class Card {
  /** `onRetried`: see Status. */
  constructor(video, { favorites, onRetried }) {
    this.video = video;
    this.status = video.is_playable ? null : new Status(video, { onRetried });
    this.element = el(
      "li",
      { class: "card", "data-testid": "card", "data-video": video.id, "data-public-id": video.public_id },
      el("a", { class: "card-link", href: watchPath(video) }, posterOf(video), titleOf(video), factsOf(video)),
      video.is_playable ? favorites.button(video) : this.status.element,
    );
    this.update(video);
  }

  update(video) {
    this.video = video;
    this.element.dataset.state = video.processing_state;
    this.status?.update(video);
  }
}

/** The picture with its size reserved; a film without one, or whose picture is gone, shows a strip of film. */
export function posterOf(video, { isEager = false } = {}) {
  const box = el("span", { class: "poster" }, icon("film"));
  if (video.image_file) {
    const loading = isEager ? "eager" : "lazy";
    const image = el("img", { alt: "", decoding: "async", loading, onerror: () => image.remove() });
    image.src = ownPath(video.image_file);
    box.append(image);
  }
  const left = recallPosition(video.public_id);
  if (left && video.is_playable) {
    box.append(el("progress", { class: "watched", max: left.of, value: left.at, "aria-label": "Watched" }));
  }
  return box;
}

const titleOf = (video) => el("span", { class: "card-title", title: video.title }, video.title);

function factsOf(video) {
  const facts = el("span", { class: "card-facts muted" });
  if (video.duration !== null) {
    facts.append(el("span", { "data-testid": "duration", title: clock(video.duration) }, length(video.duration)));
  }
  if (video.visibility === "PRIVATE") facts.append(el("span", {}, "Private"));
  if (video.visibility === "UNLISTED") facts.append(el("span", {}, "Unlisted"));
  if (video.is_paid) facts.append(el("span", {}, `${video.price} ${video.currency}`));
  return facts;
}
