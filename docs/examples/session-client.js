// A session with Videoflix for a front end on any origin, without dependencies: docs/frontend.md explains it.

const LONGEST_WAIT_S = 10; // a longer wait is shown to people instead
const ANSWER_MS = 8000; // short enough to send it again: for ten seconds the server gives the same tokens
const FRESH_MS = 30_000;
const UNREACHABLE = { detail: "The server cannot be reached. Check your connection.", code: "unreachable" };
const HARMLESS = /\/(login|refresh)\/$/; // safe to send again, even if the first request arrived

/** `status` 0: no answer. `fields`: {email: ["sentence"]}. `retryAfterS`: of a 429. `requestId`: as in the logs. */
export class ApiError extends Error {
  constructor(status, { detail, code = "", ...fields } = {}, headers = new Headers()) {
    super(detail ?? Object.values(fields).flat()[0] ?? `The server answered with an error (${status}).`);
    const retryAfterS = Number(headers.get("Retry-After"));
    Object.assign(this, { status, code, fields, retryAfterS, requestId: headers.get("X-Request-ID") });
  }
}

export class Session {
  /**
   * `api`: "https://videos.example.com", or "" on the same origin. `askToSignIn` shows a sign-in form over the page
   * and resolves to whether the person has signed in; the refused requests are then sent again.
   */
  constructor({ api = "", askToSignIn = () => false } = {}) {
    Object.assign(this, { api, askToSignIn });
  }

  get = (path) => this.request("GET", path);
  post = (path, body = {}) => this.request("POST", path, body);
  /** `credentials`: {email, password, remember}. */
  signIn = async (credentials) => read(await this.#send("POST", "/users/login/", credentials));
  signOut = async () => read(await this.#send("POST", "/users/logout/", {}));

  /** Resolves to the person who is signed in, or to null. */
  whoAmI() {
    const answer = this.request("GET", "/users/me/", undefined, { asksNobody: true });
    return answer.catch((error) => (error.status === 401 ? null : Promise.reject(error)));
  }

  /** Resolves to the JSON or text of the answer. Sends `body` as JSON, or as a form when it is FormData. */
  async request(method, path, body, { asksNobody = false } = {}) {
    const startedAt = Date.now();
    const response = await this.#send(method, path, body);
    const goesOn = async () => (await this.renew(startedAt)) || (!asksNobody && this.#signInAgain(startedAt));
    return read(response.status === 401 && (await goesOn()) ? await this.#send(method, path, body) : response);
  }

  /** Resolves to false when the session has ended. All calls and tabs share one refresh since the time `since`. */
  renew = shared((since) => inTurn(() => this.#renewUnlessDone(since)));

  #signInAgain = shared(async () => this.askToSignIn());

  async #renewUnlessDone(since) {
    if (wasJustNow(renewedAt(), since)) return true; // another tab has refreshed
    const response = await this.#refresh().catch(() => this.#refresh()); // the first answer may have been lost
    if (response.status === 401) return false;
    await read(response); // any other error says nothing about the session
    renewedAt(Date.now());
    return true;
  }

  /** keepalive: the browser gets the new tokens even if the page is closed meanwhile. */
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

/** Wraps `work`, so that all calls made before it settles share one run and its outcome. */
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
    throw new ApiError(0, UNREACHABLE); // the connection broke in the middle of the answer
  });
  if (!response.ok) throw new ApiError(response.status, isJson ? answer : {}, response.headers);
  return answer;
}

/** The time of the last refresh, shared by all tabs. A browser without storage only refreshes more often. */
function renewedAt(time) {
  try {
    if (time) localStorage.setItem("videoflix.renewed_at", time);
    return Number(localStorage.getItem("videoflix.renewed_at"));
  } catch {
    return 0;
  }
}
