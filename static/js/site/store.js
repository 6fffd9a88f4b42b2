// Values that this browser remembers. Where storage is blocked, they are forgotten without an error.

export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, String(value));
  } catch {
    // Nothing depends on it.
  }
}

export function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing depends on it.
  }
}

/** Returns [key, text] of every entry whose key begins with the prefix. */
export function recallAll(prefix) {
  try {
    return Object.entries(localStorage).filter(([key]) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

const POSITION = "videoflix.position.";

/** Returns {at, of, rememberedAt}: the position and the length in seconds, and when it was stored (ms); or null. */
export function recallPosition(publicId) {
  const [at, of, rememberedAt = 0] = (recall(POSITION + publicId) ?? "").split("/").map(Number);
  return at > 0 && of > 0 ? { at, of, rememberedAt } : null;
}

/** Remembers a position, except in the first seconds and in the closing credits. */
export function rememberPosition(publicId, at, of) {
  const isWorthIt = at >= 5 && at < of - Math.min(15, of * 0.05);
  if (isWorthIt) remember(POSITION + publicId, `${at.toFixed(1)}/${of.toFixed(1)}/${Date.now()}`);
  else forget(POSITION + publicId);
}

/** The next person at this browser must not see what the last one has watched. */
export function forgetPositions() {
  for (const [key] of recallAll(POSITION)) forget(key);
}

const choiceKey = (person, name) => `videoflix.choice.${person}.${name}`;

/** Returns this person's choice of a language, captions or quality as text, or null. */
export const recallChoice = (person, name) => recall(choiceKey(person, name));
export const rememberChoice = (person, name, choice) => remember(choiceKey(person, name), choice);
