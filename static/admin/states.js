// Keeps the states of the videos on a page up to date, as long as one of them is under way.

import { el, say } from "../js/dom.js";
import { Poll } from "../js/poll.js";
import { ask } from "./ask.js";

const liveUrl = document.getElementById("live").dataset.liveUrl;

const underway = () => [...document.querySelectorAll("[data-state-of][data-underway]")];

/** `onChange(video, {isSettled})` is told of every video that was under way; see admin/live.py for its shape. */
export function followStates(onChange = () => {}) {
  const poll = new Poll(async () => {
    const ids = new Set(underway().map((element) => element.dataset.stateOf));
    if (!ids.size) return false;
    const { videos } = await ask(`${liveUrl}?ids=${[...ids].join(",")}`);
    for (const video of videos) {
      showState(video);
      onChange(video, { isSettled: !video.is_underway });
    }
    // One that is gone for good will never settle.
    const known = new Set(videos.map((video) => String(video.id)));
    underway().filter(({ dataset }) => !known.has(dataset.stateOf)).forEach(({ dataset }) => delete dataset.underway);
    return underway().length > 0;
  });
  if (underway().length) poll.start();
  return poll;
}

function showState(video) {
  for (const element of document.querySelectorAll(`[data-state-of="${video.id}"]`)) {
    element.dataset.tone = video.tone;
    if (!video.is_underway) delete element.dataset.underway;
    element.querySelector(".vf-state-label").textContent = video.label;
    say(element.querySelector(".vf-state-detail"), video.detail);
    const bar = element.querySelector("progress");
    bar.hidden = video.percent === null;
    if (video.percent !== null) bar.value = video.percent;
  }
  for (const place of document.querySelectorAll(`[data-picture="${video.id}"]`)) showPicture(place, video.picture);
}

/** The first picture of a film that has just become ready; one that is there stays, whatever its signature. */
function showPicture(place, url) {
  if (url && !place.querySelector("img")) place.prepend(el("img", { src: url, alt: "", loading: "lazy" }));
}
