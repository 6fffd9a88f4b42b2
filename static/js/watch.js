// The watch page: the film's facts, and its player as soon as it can be played.

import { get, ownPath } from "./site/api.js";
import { reportBack, reportLost } from "./site/connection.js";
import { icon, say } from "./site/dom.js";
import { farewellOf, sayNextTime } from "./site/farewell.js";
import { Favorites } from "./catalogue/favorites.js";
import { day, length } from "./site/format.js";
import { mayManage, whoIsHere } from "./site/person.js";
import { Player } from "./player/player.js";
import { Poll } from "./site/poll.js";
import { Preflight } from "./uploads/preflight.js";
import { isUnderway, Status, tookText } from "./catalogue/status.js";
import { staySignedIn } from "./site/stay.js";

const byId = (id) => document.getElementById(id);
const main = byId("main");
const publicId = main.dataset.video;
const favorites = new Favorites();
const player = new Player(byId("player"));
const poll = new Poll(follow);

const LOOKED_AT_MS = 60_000;
// A click on "Watch" adds this to the address. It is removed at once, so that a reload or a copied link does not play.
const PLAY = "#play";
const VISIBILITY = { PRIVATE: "Private", UNLISTED: "Unlisted: anyone with the link" };
const NO_SUCH_FILM = "This film does not exist, or you do not have access to it.";

let isToPlay = location.hash === PLAY;
if (isToPlay) history.replaceState(null, "", location.pathname + location.search);

let person = null;
let film = null;
let status = null;
let panel = null;
// The page asks for news until then: a new file is checked for a while before the film's state changes.
let expectedUntil = 0;

async function load() {
  main.dataset.state = "loading";
  byId("unavailable").hidden = true;
  try {
    person ??= await whoIsHere();
    const [video] = await Promise.all([get(`/content/${publicId}/`), favorites.load()]);
    reportBack();
    favorites.connect(byId("favourite"), video);
    if (show(video)) poll.start();
    manageByAddress();
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

/** Returns whether there is something to wait for; a new version of a film that plays concerns its managers alone. */
function show(video) {
  film = video;
  showFacts(video);
  byId("favourite").hidden = !video.is_playable;
  byId("open-manage").hidden = !mayManage(person, video);
  panel?.update(video);
  if (video.is_playable) showPlayer(video);
  else showPreparing(video);
  const isExpected = Date.now() < expectedUntil;
  return isExpected || (isUnderway(video) && (!video.is_playable || mayManage(person, video)));
}

function showFacts(video) {
  document.title = `${video.title} · Videoflix`;
  byId("film-title").textContent = video.title;
  const seconds = video.duration === null ? null : length(video.duration);
  const took = video.processing_took ? tookText(video.processing_took) : null;
  const facts = [VISIBILITY[video.visibility], video.category, seconds, day(video.created_at), took];
  byId("film-facts").textContent = facts.filter(Boolean).join(" · ");
  say(byId("film-description"), video.description);
  byId("about").hidden = false;
}

function showPlayer(video) {
  byId("preparing").hidden = true;
  byId("preflight").replaceChildren();
  if (!video.has_access) {
    showUnavailable({ message: `This film costs ${video.price} ${video.currency}. You have not bought it.` });
    return;
  }
  main.dataset.state = "playable";
  if (player.isOpen) return;
  player.open(filmOf(video), person, { isPlaying: isToPlay });
}

function filmOf(video) {
  const [url, poster, storyboard] = [video.hls_url, video.image_file, video.storyboard_url].map(ownPath);
  return { publicId: video.public_id, title: video.title, url, poster, storyboard };
}

function showPreparing(video) {
  main.dataset.state = "preparing";
  isToPlay = false; // a film that becomes ready later does not begin on its own
  if (status) {
    status.update(video);
    return;
  }
  const isMine = mayManage(person, video);
  const preflight = isMine ? new Preflight(video) : null;
  const onRetried = isMine ? () => poll.start() : null;
  status = new Status(video, { onRetried, onRemoved: isMine ? leaveGone : null, preflight });
  byId("preparing").replaceChildren(icon("film"), status.element);
  byId("preflight").replaceChildren(...(preflight ? [preflight.element] : []));
  preflight?.follow(video);
  byId("preparing").hidden = false;
}

// --- Managing it, for its owner and admins ---

function leaveGone() {
  sayNextTime(farewellOf(film, person));
  location.assign("/");
}

async function manage({ part = null } = {}) {
  try {
    const { ManagePanel } = await import("./manage/manage.js");
    const onRetried = () => poll.start();
    panel ??= new ManagePanel(film, { person, onChanged: reloadFilm, onRetried, onSent: expectFile, onSaved: show });
    panel.open(film, { part });
  } catch (error) {
    reportLost(error);
  }
}

/** Opens the panel for #manage, or at "Another file" for #manage-file. Once: going back does not open it again. */
function manageByAddress() {
  const { hash } = location;
  if (!["#manage", "#manage-file"].includes(hash) || !film || !mayManage(person, film)) return;
  history.replaceState(null, "", location.pathname + location.search);
  manage({ part: hash === "#manage-file" ? "replacement-title" : null });
}

function expectFile() {
  expectedUntil = Date.now() + LOOKED_AT_MS;
  poll.start();
}

/** Called when the picture or the captions of the film have changed. */
async function reloadFilm({ captions }) {
  try {
    show(await get(`/content/${publicId}/`));
    if (player.isOpen) player.refresh(filmOf(film), { isStreamOther: captions });
  } catch (error) {
    reportLost(error);
  }
}

function showUnavailable(error) {
  const isMissing = error.status === 404;
  main.dataset.state = isMissing ? "missing" : "unavailable";
  byId("unavailable-sentence").textContent = isMissing ? NO_SUCH_FILM : error.message;
  byId("reload").hidden = isMissing;
  byId("unavailable").hidden = false;
}

byId("open-manage").addEventListener("click", () => manage());
window.addEventListener("hashchange", manageByAddress);
byId("reload").addEventListener("click", load);
staySignedIn(player.video);
window.addEventListener("online", () => main.dataset.state === "unavailable" && load());
load();
