// The page of a video: its player, its state, and what is changed without leaving the page.

import { Player } from "../js/player.js";
import { connectForms, shieldFileInputs } from "./in_place.js";
import { renewParts } from "./parts.js";
import { followStates } from "./states.js";

const byId = (id) => document.getElementById(id);
// Staff have a session of their own here: what the watch site remembers of a person is not looked up.
const STAFF = { id: "staff" };

let player = null;

function openPlayer() {
  const { dataset } = byId("stage");
  if (!dataset.master || player) return;
  player = new Player(byId("player"));
  const { publicId, master, title, poster, storyboard } = dataset;
  player.open({ publicId, url: master, title, poster, storyboard: storyboard || null }, STAFF);
}

/** A film that somebody may be watching is left alone. */
async function renewFilm() {
  await renewParts(["condition", "explanation", "posters", "captions", "qualities", ...(player ? [] : ["stage"])]);
  shieldFileInputs();
  openPlayer();
}

let wasExplained = byId("explanation")?.dataset.verdict !== "waiting";

const poll = followStates(async (video, { isSettled }) => {
  if (isSettled) await renewFilm();
  else if (video.is_explained && !wasExplained) await renewParts(["explanation"]);
  wasExplained = video.is_explained;
});

connectForms(() => {
  shieldFileInputs();
  poll.start();
});
shieldFileInputs();
openPlayer();
