// Keeps the states of the videos on a page up to date, as long as one of them waits or is being processed.

import { el, say } from "../js/site/dom.js";
import { Poll } from "../js/site/poll.js";
import { ask } from "./ask.js";

const liveUrl = document.getElementById("live").dataset.liveUrl;

const underway = () => [...document.querySelectorAll("[data-state-of][data-underway]")];

/** `onChange(video, {isSettled})` is called for every video that was under way; its shape: admin/live.py. */
export function followStates(onChange = () => {}) {
  const poll = new Poll(async () => {
    const ids = new Set(underway().map((element) => element.dataset.stateOf));
    if (!ids.size) return false;
    const { videos } = await ask(`${liveUrl}?ids=${[...ids].join(",")}`);
    for (const video of videos) {
      showState(video);
      onChange(video, { isSettled: !video.is_underway });
    }
    // A video that was deleted for good never settles.
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

/** Shows the first picture of a film that has just become ready. Later ones differ only in the URL's signature. */
function showPicture(place, url) {
  if (url && !place.querySelector("img")) place.prepend(el("img", { src: url, alt: "", loading: "lazy" }));
}
