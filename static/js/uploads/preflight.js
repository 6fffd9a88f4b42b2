// Shows what was found in an original, what will be made of it, and how much time and space that takes.

import { get } from "../site/api.js";
import { el, icon } from "../site/dom.js";
import { length, size } from "../site/format.js";

const FIRST_PAUSE_MS = 2000;
const MAX_PAUSE_MS = 60_000;

/** Its element shows the answer {verdict, sentence, found, planned, reasons, warnings, cost, command} of the API. */
export class Preflight {
  #address;
  #isBrief;
  #isAsking = false;
  #isKnown = false;
  #answer = null;
  #isTimeShown = false;
  #pauseMs = 0;
  #askedAt = 0;

  /** `isBrief`: two short lines, for a card. */
  constructor(video, { isBrief = false } = {}) {
    this.#address = `/api/v1/videos/${video.public_id}/preflight/`;
    this.#isBrief = isBrief;
    this.element = el("div", { class: isBrief ? "preflight-brief" : "preflight", "data-testid": "preflight" });
    this.element.hidden = true;
  }

  /**
   * Called whenever the film's state is read. Asks the server until the verdict is there, less and less often. While
   * the film is processed, its state shows the time left, so the estimate here leaves the time out.
   */
  async follow(video) {
    const isTimeShown = video?.processing_state === "processing";
    const hasChanged = isTimeShown !== this.#isTimeShown;
    this.#isTimeShown = isTimeShown;
    if (hasChanged && this.#answer) this.#show(this.#answer);
    if (this.#isAsking || this.#isKnown || Date.now() - this.#askedAt < this.#pauseMs) return;
    this.#isAsking = true;
    this.#askedAt = Date.now();
    this.#pauseMs = Math.min(MAX_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs));
    try {
      this.#show(await get(this.#address));
    } catch {
      // The state of the film says what is wrong.
    } finally {
      this.#isAsking = false;
    }
  }

  /** Forgets the verdict, because the film may have another original now. */
  forget() {
    this.#isKnown = false;
    this.#answer = null;
    this.#pauseMs = 0;
  }

  #show(answer) {
    this.#answer = answer;
    this.#isKnown = answer.verdict !== "waiting";
    this.element.dataset.verdict = answer.verdict;
    const takes = answer.cost && takesText(answer.cost, { hasTime: !this.#isTimeShown });
    this.element.replaceChildren(...(this.#isBrief ? briefParts(answer, takes) : parts(answer, takes)));
    this.element.hidden = this.element.childElementCount === 0;
  }
}

const hasPlan = ({ verdict }) => verdict === "fine" || verdict === "warnings";

/** "1920×1080, 24 frames a second, 10 min" */
function foundText({ width, height, frame_rate: rate, duration_s: seconds }) {
  return `${width}×${height}, ${rateText(rate)} frames a second, ${length(seconds)}`;
}

/** "30000/1001" → "29.97" */
function rateText(fraction) {
  const [frames, seconds = 1] = fraction.split("/").map(Number);
  return String(Number((frames / seconds).toFixed(2)));
}

const qualities = ({ rungs }) => [...rungs].reverse().map(({ name }) => name).join(", ");
const takesText = ({ seconds, bytes }, { hasTime }) => `about ${hasTime ? `${length(seconds)} and ` : ""}${size(bytes)}`;
const lineOf = ({ lines }, label) => lines.find((line) => line.label === label)?.text;

// --- On a card ---

function briefParts(answer, takes) {
  if (!hasPlan(answer)) return [];
  const { found, planned } = answer;
  const file = `${found.width}×${found.height}, ${length(found.duration_s)}`;
  const count = planned.rungs.length === 1 ? "one quality" : `${planned.rungs.length} qualities`;
  return [file, `Becomes ${count}, ${takes}`].map((sentence) => el("p", {}, sentence));
}

// --- On a page ---

function parts(answer, takes) {
  // The state of the film, which is always shown beside this, says why the file was refused.
  if (answer.verdict === "refused") return [pairs(answer.found.lines ?? [])].filter(Boolean);
  if (!hasPlan(answer)) return [headline(answer)];
  return [headline(answer), listOf(answer.warnings, "preflight-warnings"), summary(answer, takes), particulars(answer)];
}

function headline({ verdict, sentence }) {
  const attributes = { class: "preflight-verdict", "data-testid": "preflight-verdict" };
  const picture = verdict === "waiting" ? null : icon(verdict === "fine" ? "tick" : "alert");
  return el("p", attributes, picture, el("span", {}, sentence));
}

function listOf(sentences, name) {
  return sentences.length ? el("ul", { class: name }, ...sentences.map((sentence) => el("li", {}, sentence))) : "";
}

function summary({ found, planned, cost }, takes) {
  return pairs([
    { label: "Found", text: foundText(found) },
    { label: "Sound", text: lineOf(found, "Sound") },
    { label: "Captions", text: lineOf(planned, "Captions") },
    { label: "Becomes", text: qualities(planned) },
    { label: "Takes", text: `${takes}, ${size(cost.most_bytes)} at most` },
  ]);
}

/** `lines`: [{label, text}] */
function pairs(lines) {
  const filled = lines.filter(({ text }) => text);
  const parts = filled.flatMap(({ label, text }) => [el("dt", {}, label), el("dd", {}, text)]);
  return parts.length ? el("dl", { class: "pairs" }, ...parts) : "";
}

function particulars({ found, planned, reasons, cost, command }) {
  return el(
    "details",
    { "data-testid": "preflight-details" },
    el("summary", {}, "Why, and the exact command"),
    el("h4", {}, "Found"),
    pairs(found.lines),
    el("h4", {}, "Planned"),
    pairs(planned.lines),
    el("h4", {}, "Why"),
    listOf([...reasons, cost.basis], "preflight-reasons"),
    el("h4", {}, "Command"),
    el("pre", { tabindex: 0, role: "region", "aria-label": "Command" }, el("code", {}, command.map(quoted).join(" "))),
  );
}

/** Quotes a word of a command for a shell. */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);
