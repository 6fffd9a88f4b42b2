// The keyboard shortcuts of the player.

const TYPING = "input:not([type=range]), textarea, select, [contenteditable], dialog";

/** Returns the player's method for a key and its arguments, [name, ...arguments], or null. Pure. */
export function actionOf(key) {
  if (/^\d$/.test(key)) return ["seekToFraction", Number(key) / 10];
  return KEYS[key.length === 1 ? key.toLowerCase() : key] ?? null;
}

const KEYS = {
  " ": ["togglePlay"],
  k: ["togglePlay"],
  ArrowLeft: ["seekBy", -5],
  ArrowRight: ["seekBy", 5],
  j: ["seekBy", -10],
  l: ["seekBy", 10],
  ArrowUp: ["changeVolume", 0.05],
  ArrowDown: ["changeVolume", -0.05],
  f: ["toggleFullscreen"],
  m: ["toggleMute"],
  c: ["toggleCaptions"],
  "<": ["changeSpeed", -1],
  ">": ["changeSpeed", 1],
  "?": ["showKeys"],
};

/** The shortcuts in words: [keys, what they do]. */
export const HELP = [
  [["Space", "K"], "Play or pause"],
  [["←", "→"], "Back or forward 5 seconds"],
  [["J", "L"], "Back or forward 10 seconds"],
  [["0", "…", "9"], "Go to a tenth of the film"],
  [["↑", "↓"], "Louder or quieter"],
  [["M"], "Sound off or on"],
  [["C"], "Captions on or off"],
  [["<", ">"], "Slower or faster"],
  [["F"], "Full screen"],
  [["?"], "This list"],
];

export function connectShortcuts(player) {
  document.addEventListener("keydown", (event) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? null : actionOf(event.key);
    if (!action || !player.isOpen || isTakenBy(event.target, event.key)) return;
    event.preventDefault();
    const [name, ...rest] = action;
    player[name](...rest);
    player.showControls();
  });
}

/** True when the focused element needs the key: text fields all, buttons the space bar, the volume slider arrows. */
function isTakenBy(target, key) {
  if (target.closest(TYPING)) return true;
  if (key === " ") return target.closest("button, a, summary") !== null;
  return key.startsWith("Arrow") && target.matches(".volume");
}
