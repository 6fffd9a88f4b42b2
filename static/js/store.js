// What this browser remembers. One that refuses storage simply forgets.

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

/** [key, text] of everything whose key begins so. */
export function recallAll(prefix) {
  try {
    return Object.entries(localStorage).filter(([key]) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

const POSITION = "videoflix.position.";

/** Where this film was left: {at, of} in seconds, and when that was, {rememberedAt}; or null. */
export function recallPosition(publicId) {
  const [at, of, rememberedAt = 0] = (recall(POSITION + publicId) ?? "").split("/").map(Number);
  return at > 0 && of > 0 ? { at, of, rememberedAt } : null;
}

/** The first seconds and the closing credits are not worth coming back to. */
export function rememberPosition(publicId, at, of) {
  const isWorthIt = at >= 5 && at < of - Math.min(15, of * 0.05);
  if (isWorthIt) remember(POSITION + publicId, `${at.toFixed(1)}/${of.toFixed(1)}/${Date.now()}`);
  else forget(POSITION + publicId);
}

/** The next person at this browser need not learn what the last one watched. */
export function forgetPositions() {
  for (const [key] of recallAll(POSITION)) forget(key);
}

const choiceKey = (person, name) => `videoflix.choice.${person}.${name}`;

/** What this person chose of something (a language, captions) as text, or null. */
export const recallChoice = (person, name) => recall(choiceKey(person, name));
export const rememberChoice = (person, name, choice) => remember(choiceKey(person, name), choice);
