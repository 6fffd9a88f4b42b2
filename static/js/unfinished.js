// Uploads that this browser has begun and not finished, each person's own. A file itself cannot be kept: it has to be
// chosen again.

import { forget, recallAll, remember } from "./store.js";

const PREFIX = "videoflix.upload.";
const KEPT_MS = 7 * 86_400_000;

export class Unfinished {
  #prefix;

  constructor(person) {
    this.#prefix = `${PREFIX}${person.id}.`;
  }

  /** {kind, key, name, size, lastModified, fields, at, …}, the newest first; what is old is forgotten by now. */
  list() {
    const found = recallAll(this.#prefix).map(([key, text]) => [key, parsed(text)]);
    const isKept = ({ at = 0 }) => Date.now() - at < KEPT_MS;
    for (const [key, record] of found) if (!isKept(record)) forget(key);
    return found.map(([, record]) => record).filter(isKept).sort((one, other) => other.at - one.at);
  }

  /** Without those that another tab is busy with. */
  async listIdle() {
    const { held = [] } = (await navigator.locks?.query()) ?? {};
    const busy = new Set(held.map(({ name }) => name));
    return this.list().filter((record) => !busy.has(this.#keyOf(record)));
  }

  find(file) {
    return this.list().find((record) => this.#keyOf(record) === this.#keyOf(file)) ?? null;
  }

  keep(record) {
    remember(this.#keyOf(record), JSON.stringify({ ...record, at: Date.now() }));
  }

  /** `file`: a file or its record. */
  forget(file) {
    forget(this.#keyOf(file));
  }

  /** Does `work` as the only tab that brings this file; `busy` is called instead when another one does. */
  whileAlone(file, work, busy) {
    if (!navigator.locks) return work();
    return navigator.locks.request(this.#keyOf(file), { ifAvailable: true }, (lock) => (lock ? work() : busy()));
  }

  #keyOf({ name, size, lastModified }) {
    return `${this.#prefix}${name}/${size}/${lastModified}`;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
