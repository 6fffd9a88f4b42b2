// The watch page: the film's facts, and its player as soon as it can be played.

import { get, ownPath } from "./api.js";
import { reportBack } from "./connection.js";
import { say } from "./dom.js";
import { Favorites } from "./favorites.js";
import { day, length } from "./format.js";
import { mayManage, whoIsHere } from "./person.js";
import { Player } from "./player.js";
import { Poll } from "./poll.js";
import { isUnderway, Status } from "./status.js";

const byId = (id) => document.getElementById(id);
const main = byId("main");
const publicId = main.dataset.video;
const favorites = new Favorites();
const player = new Player(byId("player"));
const poll = new Poll(follow);

const NO_SUCH_FILM = "There is no such film, or it is not yours to see.";

let person = null;
let status = null;

async function load() {
  main.dataset.state = "loading";
  byId("unavailable").hidden = true;
  try {
    person ??= await whoIsHere();
    const [video] = await Promise.all([get(`/content/${publicId}/`), favorites.load()]);
    reportBack();
    favorites.connect(byId("favourite"), video);
    if (show(video)) poll.start();
  } catch (error) {
    showUnavailable(error);
  }
}

async function follow() {
  try {
    return show(await get(`/content/${publicId}/`));
  } catch (error) {
    if (error.status !== 404) throw error;
    showUnavailable(error);
    return false;
  }
}

/** Whether there is still something to wait for. */
function show(video) {
  showFacts(video);
  byId("favourite").hidden = !video.is_playable;
  if (video.is_playable) showPlayer(video);
  else showPreparing(video);
  return !video.is_playable && isUnderway(video);
}

function showFacts(video) {
  document.title = `${video.title} · Videoflix`;
  byId("film-title").textContent = video.title;
  const seconds = video.duration === null ? null : length(video.duration);
  byId("film-facts").textContent = [video.category, seconds, day(video.created_at)].filter(Boolean).join(" · ");
  say(byId("film-description"), video.description);
  byId("about").hidden = false;
}

function showPlayer(video) {
  byId("preparing").hidden = true;
  if (!video.has_access) {
    showUnavailable({ message: `This film costs ${video.price} ${video.currency}. You have not bought it.` });
    return;
  }
  main.dataset.state = "playable";
  if (player.isOpen) return;
  const poster = ownPath(video.image_file);
  player.open({ publicId: video.public_id, url: ownPath(video.hls_url), title: video.title, poster });
}

function showPreparing(video) {
  main.dataset.state = "preparing";
  if (status) {
    status.update(video);
    return;
  }
  status = new Status(video, { onRetried: mayManage(person, video) ? () => poll.start() : null });
  byId("preparing").replaceChildren(status.element);
  byId("preparing").hidden = false;
}

function showUnavailable(error) {
  const isMissing = error.status === 404;
  main.dataset.state = isMissing ? "missing" : "unavailable";
  byId("unavailable-sentence").textContent = isMissing ? NO_SUCH_FILM : error.message;
  byId("reload").hidden = isMissing;
  byId("unavailable").hidden = false;
}

byId("reload").addEventListener("click", load);
load();
