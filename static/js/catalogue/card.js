// One film in a row: poster, title, length, favourite and, while it is not ready, its state.

import { el, icon } from "../site/dom.js";
import { clock, length } from "../site/format.js";
import { smallPicture } from "./picture.js";
import { Preflight } from "../uploads/preflight.js";
import { Status } from "./status.js";
import { recallPosition } from "../site/store.js";

/** The address of the watch page, where a playable film starts at once. */
export const watchPath = (video) => `/watch/${video.public_id}/${video.is_playable ? "#play" : ""}`;

export class Card {
  /** `onRetried`, `onRemoved`: see Status. `hasCategory`: the card shows the category, because its row does not. */
  constructor(video, { favorites, onRetried, onRemoved, hasCategory = false }) {
    this.video = video;
    // People who may manage a film also see the state of its new version while the old one plays.
    const isWaiting = !video.is_playable || (onRetried !== null && video.processing_state !== "ready");
    this.status = isWaiting ? statusOf(video, { onRetried, onRemoved }) : null;
    this.element = el(
      "li",
      { class: "card", "data-testid": "card", "data-video": video.id, "data-public-id": video.public_id },
      linkOf(video, hasCategory),
      video.is_playable && favorites.button(video),
      this.status?.element,
    );
    this.update(video);
  }

  update(video) {
    this.video = video;
    this.element.dataset.state = video.processing_state;
    this.element.dataset.playable = video.is_playable;
    this.status?.update(video);
  }
}

/** The film's status; for people who may manage the film, with the facts about its file. */
function statusOf(video, { onRetried, onRemoved }) {
  const preflight = onRetried && new Preflight(video, { isBrief: true });
  const status = new Status(video, { onRetried, onRemoved, preflight });
  if (preflight) status.element.append(preflight.element);
  return status;
}

/** The marks of films that are not in everyone's catalogue. */
const MARKS = { PRIVATE: { icon: "lock", word: "Private" }, UNLISTED: { icon: "link", word: "Unlisted" } };

/** The place of the picture is reserved; without a picture the icon behind it shows. */
function posterOf(video) {
  const mark = MARKS[video.visibility];
  const box = el(
    "span",
    { class: "poster" },
    icon("film"),
    video.image_small && smallPicture(video),
    mark && el("span", { class: "card-mark", "data-testid": "mark" }, icon(mark.icon), mark.word),
  );
  const position = recallPosition(video.public_id);
  if (position && video.is_playable) {
    box.append(el("progress", { class: "watched", max: position.of, value: position.at, "aria-label": "Watched" }));
  }
  return box;
}

function linkOf(video, hasCategory) {
  const attributes = { class: "card-link", href: watchPath(video) };
  return el("a", attributes, posterOf(video), titleOf(video), factsOf(video, hasCategory));
}

const titleOf = (video) => el("span", { class: "card-title", title: video.title }, video.title);

function factsOf(video, hasCategory) {
  const facts = el("span", { class: "card-facts muted" });
  if (hasCategory && video.category) facts.append(el("span", {}, video.category));
  if (video.duration !== null) {
    facts.append(el("span", { "data-testid": "duration", title: clock(video.duration) }, length(video.duration)));
  }
  if (video.is_paid) facts.append(el("span", {}, `${video.price} ${video.currency}`));
  return facts;
}
