// Records of uploads that this person has begun in this browser and not finished. The file itself cannot be kept: the
// person has to choose it again.

import { forget, recallAll, remember } from "../site/store.js";

const PREFIX = "videoflix.upload.";
const KEPT_MS = 7 * 86_400_000;

export class Unfinished {
  #prefix;

  constructor(person) {
    this.#prefix = `${PREFIX}${person.id}.`;
  }

  /** Returns [{kind, key, name, size, lastModified, fields, at, …}], the newest first; forgets old records. */
  list() {
    const records = recallAll(this.#prefix).map(([key, text]) => [key, parsed(text)]);
    const isKept = ({ at = 0 }) => Date.now() - at < KEPT_MS;
    for (const [key, record] of records) if (!isKept(record)) forget(key);
    return records.map(([, record]) => record).filter(isKept).sort((one, other) => other.at - one.at);
  }

  /** Like list(), without uploads that are running in another tab. */
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

  /** Runs `work` when no other tab is uploading this file, else calls `busy`. */
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
