// The owner's panel on the watch page: picture, captions, what was found, processing again, deleting.
// Loaded when it is opened for the first time: most people never need it.

import { request } from "./api.js";
import { CaptionList } from "./captionlist.js";
import { say } from "./dom.js";
import { sayNextTime } from "./farewell.js";
import { PosterChooser } from "./posterchooser.js";
import { Preflight } from "./preflight.js";
import { Status } from "./status.js";

const byId = (id) => document.getElementById(id);

export class ManagePanel {
  #dialog = byId("manage");
  #video;
  #person;
  #status;
  #onChanged;
  #haveCaptionsChanged = false;

  /** `onChanged({captions})` is called when the film looks different now; `captions`: whether those changed as well. */
  constructor(video, { person, onChanged, onRetried }) {
    this.#video = video;
    this.#person = person;
    this.#onChanged = onChanged;
    this.#status = new Status(video, { onRetried });
    this.posters = new PosterChooser(video, { onChanged: () => onChanged({ captions: false }) });
    this.captions = new CaptionList(video, { onChanged: () => (this.#haveCaptionsChanged = true) });
    this.preflight = new Preflight(video);
    byId("manage-state").replaceChildren(this.#status.element);
    byId("manage-preflight").replaceChildren(this.preflight.element);
    this.#connect();
  }

  #connect() {
    byId("manage-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#onClose());
    byId("delete").addEventListener("click", () => this.#askWhether(true));
    byId("delete-not").addEventListener("click", () => this.#askWhether(false));
    byId("delete-now").addEventListener("click", () => this.#delete());
  }

  open(video) {
    this.update(video);
    this.#askWhether(false);
    this.preflight.follow();
    if (video.is_playable) {
      this.posters.load();
      this.captions.load();
    }
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  update(video) {
    this.#video = video;
    this.#status.update(video);
    byId("manage-title").textContent = `Manage “${video.title}”`;
    byId("manage-state").hidden = video.processing_state === "ready";
    byId("manage-posters").hidden = !video.is_playable;
    byId("manage-captions").hidden = !video.is_playable;
    byId("delete-sentence").textContent = whatGoes(video, this.#person);
  }

  #onClose() {
    if (this.#haveCaptionsChanged) this.#onChanged({ captions: true });
    this.#haveCaptionsChanged = false;
  }

  // --- Deleting ---

  #askWhether(isAsking) {
    const hadFocus = byId("delete-sure").contains(document.activeElement) || document.activeElement === byId("delete");
    byId("delete").hidden = isAsking;
    byId("delete-sure").hidden = !isAsking;
    say(byId("delete-problem"), null);
    if (hadFocus) byId(isAsking ? "delete-not" : "delete").focus();
  }

  async #delete() {
    byId("delete-now").disabled = true;
    try {
      await request("DELETE", `/api/v1/videos/${this.#video.id}/`);
      sayNextTime({ title: this.#video.title, id: this.#video.id, mayUndo: this.#person.role === "ADMIN" });
      location.assign("/");
    } catch (error) {
      say(byId("delete-problem"), error.message);
    } finally {
      byId("delete-now").disabled = false;
    }
  }
}

/** What deleting means, before anybody does it. Pure. */
export function whatGoes(video, person) {
  const count = Object.keys(video.converted_files).length;
  const qualities = count === 1 ? "one quality" : `${count} qualities`;
  const things = count ? `its ${qualities}, picture, captions and original go with it` : "its original goes with it";
  const isAdmin = person.role === "ADMIN";
  const back = isAdmin ? "You can undo it right after, or in the admin." : "An admin can bring it back.";
  return `“${video.title}” disappears for everybody at once; ${things}. ${back}`;
}
