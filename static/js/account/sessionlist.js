// The list of devices where the person is signed in, with buttons to sign out.

import { ago } from "../site/ago.js";
import { get, ownPath, request, signOut } from "../site/api.js";
import { el, say } from "../site/dom.js";
import { whileBusy } from "../site/forms.js";

const PATH = "/api/v1/auth/sessions/";
const byId = (id) => document.getElementById(id);

export class SessionList {
  #list = byId("sessions");

  constructor() {
    byId("end-others").addEventListener("click", ({ target }) => this.#change(target, () => this.#endOthers()));
    byId("end-all").addEventListener("click", ({ target }) => this.#change(target, () => this.#endAll()));
  }

  async load() {
    try {
      this.#show(await everyPage(PATH));
    } catch (error) {
      say(byId("sessions-problem"), error.message);
    }
  }

  #show(sessions) {
    const here = sessions.filter((session) => session.is_current);
    const elsewhere = sessions.filter((session) => !session.is_current);
    this.#list.replaceChildren(...[...here, ...elsewhere].map((session) => this.#item(session)));
    byId("end-others").hidden = elsewhere.length === 0;
  }

  #item(session) {
    const { id, device, address, last_used_at: usedAt, is_current: isCurrent, is_remembered: isRemembered } = session;
    const used = el("time", { datetime: usedAt, title: new Date(usedAt).toLocaleString("en-GB") }, ago(usedAt));
    const facts = [address && `${address} · `, "last used ", used, isRemembered && " · stays signed in"];
    const here = isCurrent && el("span", { class: "badge" }, "This device");
    const text = el("div", {}, el("p", {}, el("strong", {}, device), here), el("p", { class: "muted" }, ...facts));
    return el("li", { "data-testid": "session", "data-current": isCurrent, "data-session": id }, text, this.#end(session));
  }

  #end(session) {
    const label = `Sign out ${session.device}${session.is_current ? ", this device" : ""}`;
    const attributes = { class: "button small", type: "button", "aria-label": label };
    const button = el("button", attributes, "Sign out");
    button.addEventListener("click", () => this.#change(button, () => this.#endOne(session)));
    return button;
  }

  async #endOne({ id, device, is_current: isCurrent }) {
    if (isCurrent) return signOut();
    try {
      await request("DELETE", `${PATH}${id}/`);
    } catch (error) {
      if (error.status !== 404) throw error; // the session has ended meanwhile
    }
    return `Signed out: ${device}.`;
  }

  async #endOthers() {
    const { ended } = await request("DELETE", `${PATH}?keep_current=1`);
    return ended === 1 ? "Signed out on one other device." : `Signed out on ${ended} other devices.`;
  }

  async #endAll() {
    await request("DELETE", PATH);
    return signOut(); // this browser forgets the person too
  }

  /** `work` resolves to a sentence for the status when the list has changed, or to nothing when it leaves the page. */
  #change(button, work) {
    return whileBusy(button, async () => {
      say(byId("sessions-problem"), null);
      byId("sessions-done").textContent = "";
      try {
        const sentence = await work();
        if (sentence) await this.#showChange(sentence);
      } catch (error) {
        say(byId("sessions-problem"), error.message);
      }
    });
  }

  async #showChange(sentence) {
    await this.load();
    byId("sessions-title").focus(); // the button that had the focus is gone
    byId("sessions-done").textContent = sentence;
  }
}

async function everyPage(path) {
  const { results, next } = await get(path);
  return next ? [...results, ...(await everyPage(ownPath(next)))] : results;
}
