/** Why something could not be done with a file, by its name in wasi:filesystem, with its number in preview 1. In the order of the interface. */
export const faults = {
  access: 2,
  "would-block": 6,
  already: 7,
  "bad-descriptor": 8,
  busy: 10,
  deadlock: 16,
  quota: 19,
  exist: 20,
  "file-too-large": 22,
  "illegal-byte-sequence": 25,
  "in-progress": 26,
  interrupted: 27,
  invalid: 28,
  io: 29,
  "is-directory": 31,
  loop: 32,
  "too-many-links": 34,
  "message-size": 35,
  "name-too-long": 37,
  "no-device": 43,
  "no-entry": 44,
  "no-lock": 46,
  "insufficient-memory": 48,
  "insufficient-space": 51,
  "not-directory": 54,
  "not-empty": 55,
  "not-recoverable": 56,
  unsupported: 58,
  "no-tty": 59,
  "no-such-device": 60,
  overflow: 61,
  "not-permitted": 63,
  pipe: 64,
  "read-only": 69,
  "invalid-seek": 70,
  "text-file-busy": 74,
  "cross-device": 75,
} as const;

/** A fault's name; what can fail gives it in the place of its result. */
export type Fault = keyof typeof faults;

/** Whether something could not be done. */
export function isFault(result: unknown): result is Fault {
  return typeof result === "string";
}
