// The menus of spoken languages and of captions. What a person chose is chosen again in the next film that has it.

import { Menu } from "./menu.js";
import { recallChoice, rememberChoice } from "./store.js";

const NONE = "";

/** What is remembered of a track; pure, as is the next one. */
const keyOf = ({ language, label }) => `${language}|${label}`;

/** The track that `key` stands for: of the same name and language, else of the same language; null for none. */
export function trackOf(tracks, key) {
  const [language] = (key ?? NONE).split("|");
  const isOfLanguage = (track) => language !== "" && track.language === language;
  return tracks.find((track) => keyOf(track) === key) ?? tracks.find(isOfLanguage) ?? null;
}

export class TrackMenu {
  #root;
  #menu;
  #off;
  #apply;
  #person = null;
  #tracks = [];
  #chosen = null;
  #latest = null;
  #isAnnounced = false;

  /** `off`: how choosing none is called, where that is possible. `apply(value or null)` tells the stream. */
  constructor(root, { off = null, apply }) {
    this.#root = root;
    this.#menu = new Menu(root, (value) => this.choose(value || null));
    this.#off = off;
    this.#apply = apply;
  }

  /** Whose choices these are: several people may use a browser. */
  belongTo(person) {
    this.#person = person;
  }

  /** What the stream has, and what plays; an empty list when it is opened (anew). See stream.js. */
  show(tracks, chosen) {
    const isFirst = !this.#isAnnounced && tracks.length > 0;
    this.#isAnnounced = tracks.length > 0;
    this.#tracks = tracks;
    this.#chosen = chosen;
    this.#draw();
    if (isFirst) this.#chooseAgain();
  }

  choose(value) {
    const track = this.#tracks.find((one) => one.value === value);
    rememberChoice(this.#person, this.#name, track ? keyOf(track) : NONE);
    if (track) this.#latest = value;
    this.#apply(value);
  }

  /** Off, or on again: what was on last, else what speaks the browser's language. Returns what it is now, in words. */
  toggle() {
    if (!this.#tracks.length) return null;
    const next = this.#chosen === null ? this.#latest ?? this.#likeliest : null;
    this.choose(next);
    return this.#labelOf(next);
  }

  get #name() {
    return this.#root.dataset.menu;
  }

  get #likeliest() {
    const [language] = navigator.language.split("-");
    return (trackOf(this.#tracks, `${language}|`) ?? this.#tracks[0]).value;
  }

  #chooseAgain() {
    const key = recallChoice(this.#person, this.#name);
    const wanted = trackOf(this.#tracks, key)?.value ?? null;
    const isOff = this.#off !== null && key === NONE;
    if (wanted === this.#chosen || (wanted === null && !isOff)) return;
    this.#apply(wanted);
  }

  #labelOf(value) {
    return this.#tracks.find((track) => track.value === value)?.label ?? this.#off ?? "";
  }

  #draw() {
    const off = this.#off === null ? [] : [{ value: NONE, label: this.#off }];
    this.#menu.show([...off, ...this.#tracks], this.#chosen ?? NONE, this.#labelOf(this.#chosen));
    this.#root.dataset.on = this.#chosen !== null;
  }
}
