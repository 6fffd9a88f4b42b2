// The list of videos: keeps the states in it up to date.

import { followStates } from "./states.js";

followStates();
