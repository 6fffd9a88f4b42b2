// How long ago a moment was, in words; pure.

const SECONDS = { year: 31_557_600, month: 2_629_800, day: 86_400, hour: 3600, minute: 60 };
const words = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });

/** "just now", "5 minutes ago", "yesterday" */
export function ago(isoTime, now = Date.now()) {
  const seconds = (now - Date.parse(isoTime)) / 1000;
  const [unit, length] = Object.entries(SECONDS).find(([, length]) => seconds >= length) ?? [];
  return unit ? words.format(-Math.floor(seconds / length), unit) : "just now";
}
