// The owner's panel on the watch page: details, picture, captions, another file, deletion. It is loaded when it is
// opened for the first time, because most people never need it.

import { CaptionList } from "./captionlist.js";
import { DetailsForm } from "./detailsform.js";
import { say } from "../site/dom.js";
import { farewellOf, sayNextTime } from "../site/farewell.js";
import { PosterChooser } from "./posterchooser.js";
import { Preflight } from "../uploads/preflight.js";
import { RefusalNote } from "./refusalnote.js";
import { Replacement } from "./replacement.js";
import { RunList } from "./runlist.js";
import { removeFilm, Status } from "../catalogue/status.js";

const byId = (id) => document.getElementById(id);

export class ManagePanel {
  #dialog = byId("manage");
  #video;
  #person;
  #status;
  #onChanged;
  #haveCaptionsChanged = false;

  /**
   * `onChanged({captions})` is called when the picture has changed; `captions`: whether captions have changed too.
   * `onRetried`: the film is processed again; `onSent`: another file has arrived; `onSaved(video)`: details are saved.
   */
  constructor(video, { person, onChanged, onRetried, onSent, onSaved }) {
    this.#video = video;
    this.#person = person;
    this.#onChanged = onChanged;
    this.details = new DetailsForm(byId("details-form"), video, { onSaved });
    this.refusal = new RefusalNote(video);
    this.replacement = new Replacement(video, { onSent });
    this.preflight = new Preflight(video);
    this.runs = new RunList(video);
    this.#status = new Status(video, { onRetried, preflight: this.preflight });
    this.posters = new PosterChooser(video, { onChanged: () => onChanged({ captions: false }) });
    this.captions = new CaptionList(video, { onChanged: () => (this.#haveCaptionsChanged = true) });
    byId("manage-state").replaceChildren(this.#status.element);
    byId("manage-preflight").replaceChildren(this.preflight.element);
    this.#connect();
  }

  #connect() {
    byId("manage-close").addEventListener("click", () => this.#leave());
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#leave());
    this.#dialog.addEventListener("cancel", (event) => this.#warnIfUnsaved() && event.preventDefault());
    byId("unsaved-stay").addEventListener("click", () => this.#stay());
    byId("unsaved-discard").addEventListener("click", () => this.#discardAndLeave());
    this.#dialog.addEventListener("close", () => this.#onClose());
    byId("delete").addEventListener("click", () => this.#askWhether(true));
    byId("delete-not").addEventListener("click", () => this.#askWhether(false));
    byId("delete-now").addEventListener("click", () => this.#delete());
  }

  /** `part`: the id of the heading to focus. */
  open(video, { part = null } = {}) {
    this.update(video);
    this.#askWhether(false);
    byId("manage-unsaved").hidden = true;
    this.preflight.follow(video);
    this.runs.load();
    if (video.is_playable) {
      this.posters.load();
      this.captions.load();
    }
    if (!this.#dialog.open) this.#dialog.showModal();
    if (part) byId(part).focus();
  }

  update(video) {
    this.#video = video;
    this.#status.update(video);
    this.details.update(video);
    this.refusal.update(video);
    this.replacement.update(video);
    byId("manage-title").textContent = `Manage “${video.title}”`;
    byId("manage-state").hidden = video.processing_state === "ready";
    byId("manage-posters").hidden = !video.is_playable;
    byId("manage-captions").hidden = !video.is_playable;
    byId("delete-sentence").textContent = deletionText(video, this.#person);
  }

  // --- Unsaved changes: they stay in the form even where a browser closes the panel without asking ---

  /** Returns whether there are unsaved changes, about which it has asked. */
  #warnIfUnsaved() {
    if (!this.details.isChanged) return false;
    byId("manage-unsaved").hidden = false;
    byId("unsaved-stay").focus();
    return true;
  }

  #leave() {
    if (!this.#warnIfUnsaved()) this.#dialog.close();
  }

  #stay() {
    byId("manage-unsaved").hidden = true;
    byId("details-title").focus();
  }

  #discardAndLeave() {
    this.details.discard();
    this.#dialog.close();
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
      await removeFilm(this.#video);
      this.details.discard();
      sayNextTime(farewellOf(this.#video, this.#person));
      location.assign("/");
    } catch (error) {
      say(byId("delete-problem"), error.message);
    } finally {
      byId("delete-now").disabled = false;
    }
  }
}

/** Says what deleting the film means, before it is done. Pure. */
function deletionText(video, person) {
  const count = Object.keys(video.converted_files).length;
  const qualities = count === 1 ? "one quality" : `${count} qualities`;
  const things = count ? `its ${qualities}, picture, captions and original go with it` : "its original goes with it";
  const isAdmin = person.role === "ADMIN";
  const later = isAdmin ? "later you can bring it back in the admin site" : "later an admin can bring it back";
  const back = `You can undo this right away; ${later}, until it is deleted for good.`;
  return `“${video.title}” disappears for everyone at once; ${things}. ${back}`;
}
