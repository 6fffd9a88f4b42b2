// Speaking to the server: one fetch wrapper that renews an expired session once and then repeats the request.

import { forget, forgetPositions, recall, remember } from "./store.js";

const RENEWED_AT = "videoflix.renewed_at";
const SIGNED_IN = "videoflix.signed_in";
const UNREACHABLE = "The server cannot be reached. Check your connection.";

/** status 0: no answer at all. `fields`: {title: "sentence"} of a validation error. */
export class ApiError extends Error {
  constructor(status, code, message, fields = {}) {
    super(message);
    Object.assign(this, { status, code, fields });
  }
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);

/** `body` is sent as JSON, or as it is when it is a form; `headers` beside those that go with it. */
export async function request(method, path, body, headers = {}) {
  const response = await authorised(method, path, body, headers);
  return response.status === 401 ? leaveForLogin() : parse(response);
}

/** The same, but a session that is over is an ApiError: something is under way that is to be kept first. */
export async function requestOrFail(method, path, body) {
  return parse(await authorised(method, path, body));
}

async function authorised(method, path, body, headers) {
  const startedAt = Date.now();
  const response = await send(method, path, body, { headers });
  return response.status === 401 && (await renewSession(startedAt)) ? send(method, path, body, { headers }) : response;
}

async function send(method, path, body, more = {}) {
  const options = { method, credentials: "same-origin", cache: "no-store", ...more };
  if (body instanceof FormData) options.body = body; // the browser writes the header that goes with it
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { ...options.headers, "Content-Type": "application/json" };
  }
  try {
    return await fetch(path, options);
  } catch {
    throw new ApiError(0, "unreachable", UNREACHABLE);
  }
}

async function parse(response) {
  const text = await response.text();
  if (!response.ok) throw errorFrom(response.status, text);
  return (response.headers.get("Content-Type") ?? "").includes("json") && text ? JSON.parse(text) : text;
}

/** The error in an answer's body; also for answers that came by XMLHttpRequest. */
export function errorFrom(status, text) {
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // A proxy's own error page: the status has to do.
  }
  const fields = Object.fromEntries(
    Object.entries(body).filter(([, value]) => Array.isArray(value)).map(([name, value]) => [name, value.join(" ")]),
  );
  const sentence = body.detail ?? Object.values(fields)[0] ?? `The server answered with an error (${status}).`;
  return new ApiError(status, body.code ?? "", String(sentence), fields);
}

let renewing = null;

/** False when the session is over. One renewal at a time, over all calls and tabs: a used refresh token is refused. */
export function renewSession(since = Date.now()) {
  renewing ??= inTurn(() => renewUnlessDone(since)).finally(() => {
    renewing = null;
  });
  return renewing;
}

const inTurn = (work) => (navigator.locks ? navigator.locks.request("videoflix.renew", work) : work());

async function renewUnlessDone(since) {
  const renewedAt = Number(recall(RENEWED_AT));
  if (renewedAt > since && renewedAt <= Date.now()) return true; // another tab was first
  // Kept alive: the token is used up even if the page is closed before the new one has come.
  const response = await send("POST", "/users/refresh/", {}, { keepalive: true });
  if (response.status === 401) return false;
  if (!response.ok) throw errorFrom(response.status, await response.text());
  remember(RENEWED_AT, Date.now());
  return true;
}

export async function signIn(credentials) {
  const user = await parse(await send("POST", "/users/login/", credentials));
  remember(SIGNED_IN, "1");
  return user;
}

export async function signOut() {
  await send("POST", "/users/logout/", {});
  forgetPositions();
  forget(SIGNED_IN);
  location.assign("/login/");
}

/** Only a hint: it spares the sign-in page a request that is bound to fail. */
export const wasSignedIn = () => recall(SIGNED_IN) !== null;

let isLeaving = false;

/** Goes to the sign-in page; the promise never settles, so that no caller shows an error on the way out. */
export function leaveForLogin() {
  forget(SIGNED_IN);
  if (!isLeaving && location.pathname !== "/login/") {
    isLeaving = true;
    const here = location.pathname + location.search + location.hash;
    location.assign(here === "/" ? "/login/" : `/login/?next=${encodeURIComponent(here)}`);
  }
  return new Promise(() => {});
}

/** Where to go after signing in: a whole address of this site, so that no path is read as a host; else the start. */
export function safeNext(value) {
  const start = new URL("/", location.origin);
  if (!value?.startsWith("/") || !URL.canParse(value, location.origin)) return start.href;
  const target = new URL(value, location.origin);
  return target.origin === location.origin && !target.pathname.startsWith("/login") ? target.href : start.href;
}

/** The API names itself by BACKEND_ORIGIN, the page may have been reached by another name: the path serves both. */
export function ownPath(url) {
  if (!url) return null;
  const { pathname, search } = new URL(url, location.origin);
  return pathname + search;
}
