const ids = "(?!0{32})[\\da-f]{32}-(?!0{16})[\\da-f]{16}-[\\da-f]{2}";
/** Version 00 ends with its flags; a later one may have more behind them; ff is none. */
const pattern = new RegExp(`^(?:00-${ids}|(?!00|ff)[\\da-f]{2}-${ids}(?:-[!-~]*)?)$`);
const longest = 512;

/** Whether a text is a `traceparent` of the W3C's Trace Context. */
export function isTraceparent(text: string): boolean {
  return text.length <= longest && pattern.test(text);
}
