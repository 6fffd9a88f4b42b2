// An upload of a large file into the storage, apart from the form. It survives broken connections, can be paused, and
// reports a record by which it can be continued after a reload. Subclasses send the bytes: in parts, or by tus.

import { ApiError } from "../site/api.js";
import { Cancelled, Meter } from "./uploader.js";

const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];
const STALLED_MS = 60_000;
const WAITING = "The connection was lost. The upload continues by itself when it is back.";
const GIVEN_UP = "The connection has not come back. What has arrived is kept; press Resume to continue.";
const PAUSED = "Paused. What has arrived is kept.";

/** True when trying again may help: no answer, or a temporary one. 507 is a full disk, which does not pass. */
const mayPass = ({ status, code }) =>
  [0, 408, 423, 429].includes(status) || (status >= 500 && status !== 507) || code === "RequestTimeout";

/** True when the upload that was begun no longer exists on the server. */
export const isGone = ({ status, code }) => [404, 410].includes(status) || code === "upload_gone";

export class DirectUpload {
  #listener;
  #state = "";
  #meter = new Meter();
  #attempts = new Set();
  #isPaused = false;
  #isOver = false;
  #isRunning = null;
  #sleepers = new Set();

  /**
   * `client`: sends requests to this site's API, {post(path, body), renew(), headers()}.
   * `listener`: {onProgress(measure), onState(state, sentence), onRecord(record)}; state: sending, waiting, paused.
   * `record`: the last record that an earlier upload of the same file has reported; it can be kept as JSON.
   * `videoId`: the film whose file is replaced; null for a new film.
   */
  constructor(file, { client, listener, record = null, videoId = null }) {
    this.file = file;
    this.videoId = videoId;
    this.client = client;
    this.record = record;
    this.#listener = listener;
  }

  /** Resolves to the key of the complete file. Rejects with Cancelled, or with an ApiError that will not pass. */
  run() {
    this.#isRunning = this.#run();
    return this.#isRunning;
  }

  async #run() {
    const done = new AbortController();
    // Requests that were sent before the network went away may hang for minutes.
    window.addEventListener("offline", () => this.#breakOff(), { signal: done.signal });
    try {
      this.show("sending");
      if (!this.record?.isWhole) await this.send();
      this.keep({ isWhole: true });
      return this.record.key;
    } catch (error) {
      this.#end(); // stops the parts that are still being sent
      throw error;
    } finally {
      done.abort();
    }
  }

  pause(sentence = PAUSED) {
    if (this.#isOver || this.#isPaused) return;
    this.#isPaused = true;
    this.show("paused", sentence);
    this.#interrupt();
  }

  resume() {
    if (this.#isOver || !this.#isPaused) return;
    this.#isPaused = false;
    this.#meter = new Meter();
    this.show("sending");
    this.#wake();
  }

  /** Stops the upload and deletes what has arrived. */
  async cancel() {
    this.#end();
    await this.#isRunning?.catch(() => {}); // an upload that is just beginning may still report its record
    if (this.record && !this.record.isWhole) await this.discard();
  }

  /**
   * Calls `work(signal, onGoing)` until it succeeds, with growing pauses, and resolves to its result. `work` calls
   * `onGoing` whenever bytes get through; an attempt without progress for STALLED_MS is aborted and tried again.
   */
  async persist(work) {
    let failures = 0;
    for (;;) {
      if (await this.#waitWhilePaused()) failures = 0;
      try {
        return await this.#attempt(work, () => (failures = 0));
      } catch (error) {
        if (this.#isOver) throw new Cancelled();
        if (this.#isPaused) continue;
        if (error.status === 401 && failures === 0 && (await this.client.renew())) failures = 1;
        else if (mayPass(error)) await this.#rest(failures++, error);
        else throw error;
      }
    }
  }

  // --- For subclasses ---

  keep(changes) {
    const { name, size, lastModified } = this.file;
    this.record = { ...this.record, name, size, lastModified, ...changes };
    this.#listener.onRecord?.(this.record);
  }

  measure(sent) {
    if (!this.#isPaused && !this.#isOver) this.#listener.onProgress(this.#meter.measure(sent, this.file.size));
  }

  show(state, sentence = "") {
    if (this.#isOver || (this.#isPaused && state !== "paused")) return;
    this.#state = state;
    this.#listener.onState(state, sentence);
  }

  showResumePoint(sent) {
    this.show("sending", `Continuing where it stopped: ${Math.floor((sent / this.file.size) * 100)} %.`);
  }

  // --- Attempts ---

  /** Resolves to whether the upload was paused. Rejects with Cancelled when it is over. */
  async #waitWhilePaused() {
    const wasPaused = this.#isPaused;
    while (this.#isPaused && !this.#isOver) await new Promise((resolve) => this.#sleepers.add(resolve));
    if (this.#isOver) throw new Cancelled();
    return wasPaused;
  }

  async #attempt(work, onSuccess) {
    const attempt = new AbortController();
    let timer = null;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => attempt.abort(), STALLED_MS);
    };
    const onGoing = () => {
      watch();
      onSuccess();
      if (this.#state === "waiting") this.show("sending");
    };
    this.#attempts.add(attempt);
    watch();
    try {
      const answer = await work(attempt.signal, onGoing);
      onGoing();
      return answer;
    } finally {
      clearTimeout(timer);
      this.#attempts.delete(attempt);
    }
  }

  async #rest(failures, { status, message }) {
    const isTooMuch = status === 429; // the connection works, and the server's sentence says what is wrong
    if (failures >= PAUSES_MS.length) return this.pause(isTooMuch ? message : GIVEN_UP);
    this.show("waiting", isTooMuch ? message : WAITING);
    return this.#sleep(navigator.onLine ? PAUSES_MS[failures] : null);
  }

  /** Resolves after this time (null: never), when the network is back, or when a button wakes it. */
  async #sleep(milliseconds) {
    const isOver = new AbortController();
    await new Promise((resolve) => {
      if (milliseconds !== null) setTimeout(resolve, milliseconds);
      window.addEventListener("online", resolve, { signal: isOver.signal });
      this.#sleepers.add(resolve);
    });
    isOver.abort();
  }

  #wake() {
    for (const wake of this.#sleepers) wake();
    this.#sleepers.clear();
  }

  #breakOff() {
    for (const attempt of this.#attempts) attempt.abort();
  }

  #interrupt() {
    this.#breakOff();
    this.#wake();
  }

  #end() {
    this.#isOver = true;
    this.#interrupt();
  }
}

/** Returns an ApiError for the answer of a storage or a proxy, which may be XML, HTML or empty. */
export function storageError(status, text) {
  const code = /<Code>([\w.]+)<\/Code>/.exec(text)?.[1] ?? "";
  const sentence = status
    ? `The storage answered with an error (${[status, code].filter(Boolean).join(", ")}).`
    : "The storage cannot be reached. Check your connection.";
  return new ApiError(status, code, sentence);
}
