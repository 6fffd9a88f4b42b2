// The list of videos, and the overview: both show states that change.

import { followStates } from "./states.js";

followStates();
