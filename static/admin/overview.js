// The overview: states that change, and new numbers when one of them has settled.

import { renewParts } from "./parts.js";
import { followStates } from "./states.js";

const poll = followStates(async (_, { isSettled }) => {
  if (!isSettled) return;
  await renewParts(["overview"]);
  poll.start();
});
