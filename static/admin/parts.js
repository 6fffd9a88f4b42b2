// Renews parts of a page without leaving it. The server renders them, so they look as they would after a reload.

import { askForPage } from "./ask.js";

/** Replaces the elements with these ids by those of a fresh copy of this page. */
export async function renewParts(ids) {
  replaceParts(await askForPage(location.href), ids);
}

export function replaceParts(page, ids) {
  const focused = document.activeElement?.id;
  for (const id of ids) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (old && fresh) old.replaceWith(document.adoptNode(fresh));
  }
  if (focused) document.getElementById(focused)?.focus();
}
