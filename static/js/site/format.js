// Formats numbers, sizes and times for people; pure.

/** 3725 → "1:02:05" */
export function clock(seconds) {
  const total = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** 3725 → "1 h 2 min" */
export function length(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

export function timeLeft(seconds) {
  return seconds < 5 ? "a few seconds left" : `about ${length(seconds)} left`;
}

/** 3 → "3rd" */
export function ordinal(number) {
  const isTeen = [11, 12, 13].includes(number % 100);
  return `${number}${isTeen ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th")}`;
}

/** 1500000 → "1.4 MB"; megabytes are 1024 × 1024 bytes, as in MAX_UPLOAD_MB. */
export function size(bytes) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1024)));
  const number = bytes / 1024 ** power;
  return `${power && number < 100 ? number.toFixed(1).replace(/\.0$/, "") : Math.round(number)} ${units[power]}`;
}

export function day(isoTime) {
  return new Date(isoTime).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}
