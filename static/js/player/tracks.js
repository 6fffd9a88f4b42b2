// The menus for spoken languages and captions. A person's choice applies to the next films too, where they have it.

import { Menu } from "./menu.js";
import { recallChoice, rememberChoice } from "../site/store.js";

const NONE = "";

/** The text by which a track is remembered; pure, like trackOf. */
const keyOf = ({ language, label }) => `${language}|${label}`;

/** Returns the track with the name and language of `key`, else one of the same language, else null. */
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

  /** `off`: the label for choosing none, or null if that is not possible. `apply(value or null)` tells the stream. */
  constructor(root, { off = null, apply }) {
    this.#root = root;
    this.#menu = new Menu(root, (value) => this.choose(value || null));
    this.#off = off;
    this.#apply = apply;
  }

  /** Sets the person whose choices apply: several people may use one browser. */
  belongTo(person) {
    this.#person = person;
  }

  /** Shows the tracks of the stream and the current one; the list is empty while a stream opens. See stream.js. */
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

  /**
   * Turns the track off, or on again: the last one, else the one in the browser's language. Returns the new choice in
   * words, or null when the film has no tracks.
   */
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
    const remembered = trackOf(this.#tracks, key)?.value ?? null;
    const isOff = this.#off !== null && key === NONE;
    if (remembered === this.#chosen || (remembered === null && !isOff)) return;
    this.#apply(remembered);
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
