// The page of a video: its player, its state, and the forms that are sent without leaving the page.

import { Player } from "../js/player/player.js";
import { connectForms, shieldFileInputs } from "./in_place.js";
import { renewParts } from "./parts.js";
import { followStates } from "./states.js";

const byId = (id) => document.getElementById(id);
// The player remembers choices for each person; on the admin site all staff share them.
const STAFF = { id: "staff" };

let player = null;

function openPlayer() {
  const { dataset } = byId("stage");
  if (!dataset.master || player) return;
  player = new Player(byId("player"));
  const { publicId, master, title, poster, storyboard } = dataset;
  player.open({ publicId, url: master, title, poster, storyboard: storyboard || null }, STAFF);
}

/** Leaves the player alone once it is open: staff may be watching. */
async function renewFilm() {
  await renewParts(["condition", "explanation", "posters", "captions", "qualities", "runs", ...(player ? [] : ["stage"])]);
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
