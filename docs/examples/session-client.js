// A session with Videoflix for a front end on any origin, without dependencies: docs/frontend.md tells how it works.

const LONGEST_WAIT_S = 10; // what takes longer is for people to know
const ANSWER_MS = 8000; // a refresh may be sent again for ten seconds: the server gives the same tokens again
const FRESH_MS = 30_000;
const UNREACHABLE = { detail: "The server cannot be reached. Check your connection.", code: "unreachable" };
const HARMLESS = /\/(login|refresh)\/$/; // may be sent again whatever became of it

/** `status` 0: no answer. `fields`: {email: ["sentence"]}. `retryAfterS`: of a 429. `requestId`: as logs have it. */
export class ApiError extends Error {
  constructor(status, { detail, code = "", ...fields } = {}, headers = new Headers()) {
    super(detail ?? Object.values(fields).flat()[0] ?? `The server answered with an error (${status}).`);
    const retryAfterS = Number(headers.get("Retry-After"));
    Object.assign(this, { status, code, fields, retryAfterS, requestId: headers.get("X-Request-ID") });
  }
}

export class Session {
  /**
   * `api`: "https://videos.example.com"; nothing on the same origin. `askToSignIn` shows a sign-in form over the page
   * as it is, and resolves to whether somebody has signed in: whatever was refused is then sent again.
   */
  constructor({ api = "", askToSignIn = () => false } = {}) {
    Object.assign(this, { api, askToSignIn });
  }

  get = (path) => this.request("GET", path);
  post = (path, body = {}) => this.request("POST", path, body);
  /** `credentials`: {email, password, remember}. */
  signIn = async (credentials) => read(await this.#send("POST", "/users/login/", credentials));
  signOut = async () => read(await this.#send("POST", "/users/logout/", {}));

  /** Who is signed in, or null. */
  whoAmI() {
    const answer = this.request("GET", "/users/me/", undefined, { asksNobody: true });
    return answer.catch((error) => (error.status === 401 ? null : Promise.reject(error)));
  }

  /** The answer's JSON, or its text. `body` is sent as JSON, or as it is when it is a form. */
  async request(method, path, body, { asksNobody = false } = {}) {
    const startedAt = Date.now();
    const response = await this.#send(method, path, body);
    const goesOn = async () => (await this.renew(startedAt)) || (!asksNobody && this.#signInAgain(startedAt));
    return read(response.status === 401 && (await goesOn()) ? await this.#send(method, path, body) : response);
  }

  /** False when the session is over. One refresh for all calls and all tabs, unless one has been since `since`. */
  renew = shared((since) => inTurn(() => this.#renewUnlessDone(since)));

  #signInAgain = shared(async () => this.askToSignIn());

  async #renewUnlessDone(since) {
    if (wasJustNow(renewedAt(), since)) return true; // by another tab
    const response = await this.#refresh().catch(() => this.#refresh()); // the first answer may have been lost
    if (response.status === 401) return false;
    await read(response); // any other error says nothing of the session
    renewedAt(Date.now());
    return true;
  }

  /** Goes on when its page is closed, so that the browser gets the new tokens all the same. */
  #refresh() {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return this.#send("POST", "/users/refresh/", {}, { keepalive: true, signal });
  }

  async #send(method, path, body, options = {}) {
    const isJson = body !== undefined && !(body instanceof FormData);
    const headers = isJson ? { "Content-Type": "application/json" } : {};
    const all = { method, headers, body: isJson ? JSON.stringify(body) : body, ...options };
    const attempt = () => fetch(this.api + path, { credentials: "include", cache: "no-store", ...all });
    try {
      const response = await attempt();
      const waitS = Number(response.headers.get("Retry-After"));
      const isBusy = response.status === 429 || (response.status === 503 && (method === "GET" || HARMLESS.test(path)));
      if (!isBusy || !waitS || waitS > LONGEST_WAIT_S) return response;
      await new Promise((resolve) => setTimeout(resolve, waitS * 1000));
      return await attempt();
    } catch {
      throw new ApiError(0, UNREACHABLE);
    }
  }
}

/** `work` with one outcome for all who needed it before it was there. */
function shared(work) {
  let outcome = null;
  let doneAt = 0;
  return (since = Date.now()) => {
    if (doneAt !== null && !wasJustNow(doneAt, since)) {
      doneAt = null;
      outcome = work(since).finally(() => (doneAt = Date.now()));
    }
    return outcome;
  };
}

const wasJustNow = (time, since) => time > since && time <= Date.now() && Date.now() - time < FRESH_MS;
const inTurn = (work) => (navigator.locks ? navigator.locks.request("videoflix.renew", work) : work());

async function read(response) {
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const answer = await (isJson ? response.json() : response.text()).catch(() => {
    throw new ApiError(0, UNREACHABLE); // in the middle of it
  });
  if (!response.ok) throw new ApiError(response.status, isJson ? answer : {}, response.headers);
  return answer;
}

/** What the tabs tell each other. A browser that stores nothing only refreshes more often. */
function renewedAt(time) {
  try {
    if (time) localStorage.setItem("videoflix.renewed_at", time);
    return Number(localStorage.getItem("videoflix.renewed_at"));
  } catch {
    return 0;
  }
}
