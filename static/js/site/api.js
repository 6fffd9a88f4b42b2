// Requests to the API: a wrapper of fetch that renews an expired session once and then repeats the request.

import { forget, forgetPositions, recall, remember } from "./store.js";

const RENEWED_AT = "videoflix.renewed_at";
const SIGNED_IN = "videoflix.signed_in";
const UNREACHABLE = "The server cannot be reached. Check your connection.";

/** `status` 0: there was no answer. `fields`: {title: "sentence"} of a validation error. */
export class ApiError extends Error {
  constructor(status, code, message, fields = {}) {
    super(message);
    Object.assign(this, { status, code, fields });
  }
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);

/** Sends `body` as JSON, or as a form when it is FormData. Leaves for the sign-in page when the session has ended. */
export async function request(method, path, body, headers = {}) {
  const response = await authorised(method, path, body, headers);
  return response.status === 401 ? leaveForLogin() : parse(response);
}

/** Like request(), but rejects with an ApiError when the session has ended: the caller has work to keep first. */
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
  if (body instanceof FormData) options.body = body; // the browser sets Content-Type with the boundary
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

/** Returns the error that the body of an answer describes; also for answers to an XMLHttpRequest. */
export function errorFrom(status, text) {
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // An error page of a proxy: only the status is known.
  }
  const fields = Object.fromEntries(
    Object.entries(body).filter(([, value]) => Array.isArray(value)).map(([name, value]) => [name, value.join(" ")]),
  );
  const sentence = body.detail ?? Object.values(fields)[0] ?? `The server answered with an error (${status}).`;
  return new ApiError(status, body.code ?? "", String(sentence), fields);
}

let renewing = null;

/**
 * Resolves to false when the session has ended. One renewal runs at a time, across all calls and tabs: a refresh token
 * that was used before is refused.
 */
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
  // keepalive: closing the page must not cancel it, as the old token is used up once the server has seen it.
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

/** Only a hint, which saves the sign-in page a request that is bound to fail: the session may have ended. */
export const wasSignedIn = () => recall(SIGNED_IN) !== null;

let isLeaving = false;

/** Goes to the sign-in page. The promise never settles, so that no caller shows an error on the way out. */
export function leaveForLogin() {
  forget(SIGNED_IN);
  if (!isLeaving && location.pathname !== "/login/") {
    isLeaving = true;
    const here = location.pathname + location.search + location.hash;
    location.assign(here === "/" ? "/login/" : `/login/?next=${encodeURIComponent(here)}`);
  }
  return new Promise(() => {});
}

/**
 * Returns the URL to go to after signing in: `value` when it is a path of this site, else the start page. The URL is
 * absolute, so that a path such as //host is never read as another host.
 */
export function safeNext(value) {
  const start = new URL("/", location.origin);
  if (!value?.startsWith("/") || !URL.canParse(value, location.origin)) return start.href;
  const target = new URL(value, location.origin);
  return target.origin === location.origin && !target.pathname.startsWith("/login") ? target.href : start.href;
}

/**
 * Returns path and query of a URL of the API. Those URLs begin with BACKEND_ORIGIN, but this page may have been opened
 * under another name of the same site.
 */
export function ownPath(url) {
  if (!url) return null;
  const { pathname, search } = new URL(url, location.origin);
  return pathname + search;
}
