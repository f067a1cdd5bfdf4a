/** Shorter ones would be found by chance. */
const shortest = 8;

/**
 * The forms in which a secret is looked for: as it is, and what JSON, URLs, forms, hexadecimal digits and Base64 make of
 * it, the last also somewhere within other bytes. Of one with several lines each line, since logs are split at these.
 */
export function needlesOf(secret: string): ReadonlySet<string> {
  const texts = new Set([secret, ...secret.split(/\r?\n/).map((line) => line.trim())]);
  const forms = [...texts].filter((text) => text === secret || text.length >= shortest).flatMap(formsOf);
  return new Set(forms);
}

function formsOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const hex = bytes.toString("hex");
  const json = JSON.stringify(text).slice(1, -1);
  const escaped = [
    json,
    json.replaceAll("/", "\\/"),
    // As languages write it that keep to ASCII.
    json.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  ];
  const url = encodeURIComponent(text);
  const encoded = [
    url,
    url.replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`),
    new URLSearchParams({ "": text }).toString().slice(1),
    encodeURI(text),
  ];
  const lower = encoded.map((form) => form.replaceAll(/%[\dA-F]{2}/g, (byte) => byte.toLowerCase()));
  const base64 = [0, 1, 2].map((offset) => base64Within(bytes, offset));
  const base64url = base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  const coded = [hex, hex.toUpperCase(), ...base64, ...base64url].filter(({ length }) => length >= shortest);
  return [text, ...escaped, ...encoded, ...lower, ...coded];
}

/** The characters of Base64 that no bytes but these decide, when so many bytes (of three) stand before them. */
function base64Within(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const bits = (offset + bytes.length) * 8;
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(bits / 6));
}
