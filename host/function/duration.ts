import ms, { type StringValue } from "ms";

/** What a duration looks like, as a JSON Schema pattern. */
export const durationPattern =
  "^\\d{1,9}(\\.\\d{1,6})? ?(ms|msecs?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)$";

const pattern = new RegExp(durationPattern, "u");

/** A duration such as "30s", "1.5h" or "2 days" in whole milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!pattern.test(text)) return undefined;
  const value = ms(text as StringValue);
  return Number.isFinite(value) ? Math.round(value) : undefined;
}
