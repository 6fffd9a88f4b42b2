// The last runs of a film: what was made of each of its files, and why a file was not used.

import { get } from "../site/api.js";
import { ago } from "../site/ago.js";
import { el } from "../site/dom.js";
import { length } from "../site/format.js";

const byId = (id) => document.getElementById(id);

export class RunList {
  #video;
  #section = byId("manage-runs");

  constructor(video) {
    this.#video = video;
  }

  /** One run of a film that plays tells nothing that the rest of the panel does not. */
  async load() {
    const runs = await get(`/api/v1/videos/${this.#video.public_id}/runs/`).catch(() => []);
    const isWorthALook = runs.length > 1;
    byId("run-list").replaceChildren(...(isWorthALook ? runs.map(item) : []));
    this.#section.hidden = !isWorthALook;
  }
}

function item({ file, state, label, queued_at: queuedAt, attempts, found, took_s: seconds, sentence }) {
  const took = seconds ? `took ${length(seconds)}` : "";
  const tries = attempts > 1 ? `${attempts} attempts` : "";
  const facts = [found, took, tries].filter(Boolean).join(", ");
  return el(
    "li",
    { "data-state": state },
    el("p", { class: "split" }, el("strong", {}, file || "A file"), el("span", { class: "muted" }, ago(queuedAt))),
    el("p", { class: "run-result" }, sentence ? `${label}: ${sentence}` : label),
    facts ? el("p", { class: "muted" }, facts) : null,
  );
}
