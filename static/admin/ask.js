// Requests to the admin site's own views, with the session of the person who is signed in to it.

import { ApiError, errorFrom } from "../js/site/api.js";

export const SESSION_OVER =
  "You are no longer signed in. Sign in again in another tab, then come back: nothing on this page is lost.";
const UNREACHABLE = "The server cannot be reached. Check your connection.";

/** Resolves to the JSON of the answer. Rejects with an ApiError whose message is a sentence for people. */
export async function ask(url, { headers = {}, ...options } = {}) {
  const response = await send(url, { headers: { Accept: "application/json", ...headers }, ...options });
  const text = await response.text();
  if (!response.ok) throw errorFrom(response.status, text);
  return JSON.parse(text);
}

/** Resolves to the page at the end of all redirects. Rejects with an ApiError when that is the sign-in page. */
export async function askForPage(url, options = {}) {
  const response = await send(url, options);
  if (leadsToSignIn(response.url)) throw new ApiError(401, "not_signed_in", SESSION_OVER);
  if (!response.ok) throw errorFrom(response.status, await response.text());
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

export const csrfToken = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";

export const leadsToSignIn = (url) => new URL(url, location.origin).pathname.endsWith("/login/");

async function send(url, options) {
  try {
    return await fetch(url, { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    throw new ApiError(0, "unreachable", UNREACHABLE);
  }
}
