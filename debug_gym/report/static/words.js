// Numbers and states in words.

export const STATES = {
  resolved: { mark: "✓", word: "resolved" },
  unresolved: { mark: "✗", word: "not resolved" },
  error: { mark: "!", word: "infrastructure error, does not count" },
  unfinished: { mark: "·", word: "unfinished" },
};

/** Seconds for people: 4 ms, 1.3 s, 2 min 5 s, 1 h 3 min. */
export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A count with thousands as k: 950, 12.3k, 4.5M. */
export function short(count) {
  if (count < 10_000) return String(Math.round(count));
  return count < 1e6 ? `${(count / 1e3).toFixed(1)}k` : `${(count / 1e6).toFixed(1)}M`;
}

export const percent = (share) => `${Math.round(share * 100)}%`;
export const dollars = (amount) => `$${amount >= 1 ? amount.toFixed(2) : amount.toPrecision(2)}`;
export const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** A sum over the steps of one figure of their usage; undefined where no step has it. */
export function total(steps, key) {
  const known = steps.filter((step) => key in step.usage);
  return known.length ? known.reduce((sum, step) => sum + step.usage[key], 0) : undefined;
}
