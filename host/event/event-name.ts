/** The pattern of an event's name, as JSON Schema takes it (compiled with the flag u). */
export const eventNamePattern = "^[^\\p{C}\\p{Z}*>]{1,256}$";

/** The rule in words. */
export const eventNameRule =
  "1 to 256 characters without spaces, control characters, * and >, like user/signed.up";

const pattern = new RegExp(eventNamePattern, "u");

/** Whether a value can name an event. */
export function isEventName(name: unknown): name is string {
  return typeof name === "string" && name.length <= 512 && pattern.test(name);
}
