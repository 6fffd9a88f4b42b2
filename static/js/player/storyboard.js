// A storyboard: which area of which picture sheet shows which seconds of a film; pure.

const TIMES = /^(\S+)\s+-->\s+(\S+)/;
const AREA = /^(\S+?)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;

/** Parses WebVTT into [{start, end, sheet, x, y, width, height}]; other cues are left out. */
export function parseStoryboard(text) {
  const blocks = text.replace(/\r\n?/g, "\n").split(/\n{2,}/);
  return blocks.map(tileOf).filter((tile) => tile !== null);
}

function tileOf(block) {
  const lines = block.trim().split("\n");
  const at = lines.findIndex((line) => line.includes("-->"));
  const [, start, end] = TIMES.exec(lines[at] ?? "") ?? [];
  const [, sheet, ...area] = AREA.exec((lines[at + 1] ?? "").trim()) ?? [];
  if (!start || !sheet) return null;
  const [x, y, width, height] = area.map(Number);
  return { start: secondsOf(start), end: secondsOf(end), sheet, x, y, width, height };
}

/** "01:02:03.400" or "02:03.400" → 3723.4 */
function secondsOf(time) {
  return time.split(":").reduce((total, part) => total * 60 + Number(part), 0);
}

/** Returns the tile of this second; the first tile before its start, the previous one in gaps; null without tiles. */
export function tileAt(tiles, seconds) {
  return tiles.findLast((tile) => tile.start <= seconds) ?? tiles[0] ?? null;
}
