// Sorts films into rows: pure functions.

const ORDERS = {
  newest: (a, b) => b.created_at.localeCompare(a.created_at) || b.id - a.id,
  title: (a, b) => a.title.localeCompare(b.title, undefined, { numeric: true, sensitivity: "base" }),
  shortest: (a, b) => (a.duration ?? Infinity) - (b.duration ?? Infinity),
  longest: (a, b) => (b.duration ?? -1) - (a.duration ?? -1),
};

export function sorted(videos, order) {
  return [...videos].sort(ORDERS[order] ?? ORDERS.newest);
}

/** The films in whose title, description or category every word of the query occurs. */
export function matching(videos, query) {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return videos.filter((video) => {
    const text = `${video.title} ${video.description} ${video.category ?? ""}`.toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const isListed = (video) => video.visibility === "PUBLIC";

/** The film above the rows: the one that staff chose, else the newest that is described, else the newest; or null. */
export function billboardOf(videos) {
  const candidates = sorted(videos.filter((video) => video.is_playable && isListed(video)), "newest");
  const described = candidates.find((video) => video.description.trim());
  return candidates.find((video) => video.is_featured) ?? described ?? candidates[0] ?? null;
}

/** [{key, title, href, videos}] in page order; empty rows are left out. `positionOf`: see store.recallPosition. */
export function rowsOf(videos, categories, favorites, positionOf) {
  const playable = videos.filter((video) => video.is_playable);
  const listed = playable.filter(isListed);
  const known = new Set(categories.map((category) => category.name));
  const rows = [
    { key: "underway", title: "In the making", videos: inQueueOrder(videos.filter(isInTheMaking)) },
    { key: "failed", title: "Failed", videos: videos.filter(({ processing_state: state }) => state === "error") },
    continueRow(playable, positionOf),
    favoritesRow(playable, favorites),
    ...categories.map(({ name, slug }) => ({
      key: `category-${slug}`,
      title: name,
      href: `/?category=${encodeURIComponent(slug)}`,
      videos: listed.filter((video) => video.category === name),
    })),
    { key: "more", title: "More films", videos: listed.filter((video) => !known.has(video.category)) },
    { key: "not-listed", title: "Private and unlisted", videos: playable.filter((video) => !isListed(video)) },
  ];
  return rows.filter((row) => row.videos.length);
}

const isInTheMaking = (video) => !video.is_playable && video.processing_state !== "error";

/** Films that are being processed, then those that wait, in the order of the queue. */
function inQueueOrder(videos) {
  const place = ({ processing_state: state, processing_place: number }) =>
    state === "processing" ? 0 : (number ?? Infinity);
  return [...videos].sort((a, b) => place(a) - place(b) || 0);
}

/** Films that were not watched to the end, the latest first. */
function continueRow(videos, positionOf) {
  const watched = videos.map((video) => ({ video, at: positionOf(video.public_id)?.rememberedAt }));
  const unfinished = watched.filter(({ at }) => at !== undefined).sort((a, b) => b.at - a.at);
  return { key: "continue", title: "Continue watching", videos: unfinished.map(({ video }) => video) };
}

export function favoritesRow(videos, favorites) {
  return {
    key: "favourites",
    title: "Your favourites",
    videos: videos.filter((video) => video.is_playable && favorites.has(video.id)),
  };
}

/** The films to ask about in this turn: at most `atOnce`, in rotation, so that each is asked about sooner or later. */
export function nextToAsk(videos, turn, atOnce = 4) {
  const start = videos.length > atOnce ? (turn * atOnce) % videos.length : 0;
  return [...videos.slice(start), ...videos.slice(0, start)].slice(0, atOnce);
}
