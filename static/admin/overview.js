// The overview: keeps its states up to date, and renews its numbers when a video is done or has failed.

import { renewParts } from "./parts.js";
import { followStates } from "./states.js";

const poll = followStates(async (_, { isSettled }) => {
  if (!isSettled) return;
  await renewParts(["overview"]);
  poll.start();
});
