// Replaces the file of a film: sends it with a progress bar; the film that plays stays until the new one is ready.

import { requestOrFail } from "../site/api.js";
import { say } from "../site/dom.js";
import { limitsOf, objectionTo } from "../uploads/filechoice.js";
import { size } from "../site/format.js";
import { TransferPanel } from "../uploads/transferpanel.js";
import { client, LARGE_BYTES, openUpload } from "../uploads/transfers.js";
import { Cancelled, Transfer, withSession } from "../uploads/uploader.js";

const byId = (id) => document.getElementById(id);
const METADATA = "/api/v1/upload/videos/metadata/";
const ARRIVED = "The file has arrived. It replaces the film as soon as it is processed.";
const CANCELLED = "Upload cancelled. Nothing was changed.";

export class Replacement {
  #video;
  #onSent;
  #file = null;
  #panel = new TransferPanel();

  /** `onSent` is called when the file has arrived. */
  constructor(video, { onSent }) {
    this.#video = video;
    this.#onSent = onSent;
    byId("replacement-file").addEventListener("change", ({ target }) => this.#choose(target));
    byId("replace").addEventListener("click", () => this.#send());
    window.addEventListener("beforeunload", (event) => this.#isSending() && event.preventDefault());
  }

  update(video) {
    byId("replacement-note").hidden = !video.is_playable;
  }

  #choose(input) {
    const [file] = input.files;
    input.value = ""; // so that the same file can be chosen again
    if (!file) return;
    const problem = objectionTo(file, limitsOf(byId("manage-replacement").dataset));
    this.#setFile(problem ? null : file);
    say(byId("replacement-problem"), problem);
    byId("replacement-done").textContent = "";
    if (!problem) byId("replace").focus();
  }

  #setFile(file) {
    this.#file = file;
    say(byId("replacement-chosen"), file && `${file.name}, ${size(file.size)}`);
    byId("replace").hidden = file === null;
  }

  #isSending() {
    return !byId("transfer").hidden;
  }

  async #send() {
    const file = this.#file;
    this.#show(true);
    this.#panel.open(`Uploading “${file.name}”`, file.size);
    byId("cancel-upload").focus();
    try {
      await (file.size > LARGE_BYTES ? this.#sendBeside(file) : this.#sendForm(file));
      this.#setFile(null);
      byId("replacement-done").textContent = ARRIVED;
      this.#onSent();
    } catch (error) {
      say(byId("replacement-problem"), error instanceof Cancelled ? CANCELLED : error.message);
    } finally {
      this.#show(false);
    }
  }

  #show(isSending) {
    say(byId("replacement-problem"), null);
    byId("transfer").hidden = !isSending;
    byId("replacement-choice").hidden = isSending;
  }

  #sendForm(file) {
    const transfer = new Transfer();
    const form = new FormData();
    form.append("file", file, file.name);
    this.#panel.connect({ cancel: () => transfer.cancel() });
    const where = { method: "PATCH", path: `/api/v1/videos/${this.#video.id}/` };
    return transfer.send(form, this.#panel.onProgress, where);
  }

  #sendBeside(file) {
    const listener = { onProgress: this.#panel.onProgress, onState: this.#panel.onState };
    return withSession(async () => {
      const kind = byId("manage-replacement").dataset.direct;
      const upload = await openUpload(kind, file, { client, listener, videoId: this.#video.id });
      this.#panel.connect(upload);
      const key = await upload.run();
      await upload.persist(() => requestOrFail("POST", METADATA, { video_s3_key: key }));
    });
  }
}
