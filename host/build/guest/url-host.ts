import { decodeUtf8 } from "./text.ts";
import { percentDecode, percentEncode } from "./url-encoding.ts";

const forbiddenHost = /[\0\t\n\r #/:<>?@[\\\]^|]/;
// oxlint-disable-next-line no-control-regex -- the standard forbids control characters in a domain
const forbiddenDomain = /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/;

/** A URL's host as the standard serializes it; undefined when it is not one. */
export function parseHost(text: string, special: boolean): string | undefined {
  if (text.startsWith("[")) {
    const pieces = text.endsWith("]") ? parseIpv6(text.slice(1, -1)) : undefined;
    return pieces && `[${serializeIpv6(pieces)}]`;
  }
  if (!special) return forbiddenHost.test(text) ? undefined : percentEncode(text, "control");
  const domain = toAscii(decodeUtf8(percentDecode(text)));
  if (domain === undefined || domain === "" || forbiddenDomain.test(domain)) return undefined;
  return endsInNumber(domain) ? parseIpv4(domain) : domain;
}

/** Domain to ASCII: lower case, compatibility normal form, Punycode. Without IDNA's table of what is disallowed. */
function toAscii(domain: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- all that is ASCII
  if (/^[\0-\x7f]*$/.test(domain)) return domain.toLowerCase();
  const normal = domain
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFC")
    .replaceAll("\u00ad", "")
    .replaceAll("\u3002", ".");
  return (
    normal
      .split(".")
      // oxlint-disable-next-line no-control-regex -- all that is ASCII
      .map((label) => (/^[\0-\x7f]*$/.test(label) ? label : `xn--${punycode(label)}`))
      .join(".")
  );
}

/** RFC 3492. */
function punycode(label: string): string {
  const input = Array.from(label, (character) => character.codePointAt(0) ?? 0);
  let output = input
    .filter((code) => code < 0x80)
    .map((code) => String.fromCharCode(code))
    .join("");
  const basic = output.length;
  if (basic > 0) output += "-";
  let code = 128;
  let delta = 0;
  let bias = 72;
  for (let handled = basic; handled < input.length;) {
    const next = Math.min(...input.filter((candidate) => candidate >= code));
    delta += (next - code) * (handled + 1);
    code = next;
    for (const current of input) {
      if (current < code) delta++;
      if (current !== code) continue;
      let rest = delta;
      for (let base = 36; ; base += 36) {
        const threshold = Math.min(Math.max(base - bias, 1), 26);
        if (rest < threshold) break;
        output += digit(threshold + ((rest - threshold) % (36 - threshold)));
        rest = Math.floor((rest - threshold) / (36 - threshold));
      }
      output += digit(rest);
      bias = adapt(delta, handled + 1, handled === basic);
      delta = 0;
      handled++;
    }
    delta++;
    code++;
  }
  return output;
}

function digit(value: number): string {
  return "abcdefghijklmnopqrstuvwxyz0123456789"[value] ?? "";
}

function adapt(given: number, points: number, first: boolean): number {
  let delta = Math.floor(given / (first ? 700 : 2));
  delta += Math.floor(delta / points);
  let bias = 0;
  for (; delta > 455; bias += 36) delta = Math.floor(delta / 35);
  return bias + Math.floor((36 * delta) / (delta + 38));
}

function endsInNumber(domain: string): boolean {
  const last = domain.replace(/\.$/, "").split(".").at(-1) ?? "";
  return /^\d+$/.test(last) || /^0x[0-9a-f]*$/i.test(last);
}

function parseIpv4(domain: string): string | undefined {
  const parts = domain.replace(/\.$/, "").split(".");
  if (parts.length > 4) return undefined;
  let address = 0;
  for (const [index, part] of parts.entries()) {
    const value = ipv4Number(part);
    if (value === undefined) return undefined;
    const last = index === parts.length - 1;
    if (value >= (last ? 256 ** (5 - parts.length) : 256)) return undefined;
    address += last ? value : value * 256 ** (3 - index);
  }
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

function ipv4Number(part: string): number | undefined {
  if (/^0x[0-9a-f]*$/i.test(part)) return part.length === 2 ? 0 : Number.parseInt(part, 16);
  if (/^0[0-7]+$/.test(part)) return Number.parseInt(part, 8);
  return /^(0|[1-9]\d*)$/.test(part) ? Number(part) : undefined;
}

function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => ipv6Pieces(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  return missing < 1 ? undefined : [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
}

function ipv6Pieces(text: string, last: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const pieces: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (last && index === groups.length - 1 && group.includes(".")) {
      const bytes = group.split(".").map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
      const [a = 256, b = 256, c = 256, d = 256] = bytes;
      if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) return undefined;
      pieces.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) pieces.push(Number.parseInt(group, 16));
    else return undefined;
  }
  return pieces;
}

function serializeIpv6(pieces: readonly number[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && pieces[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = pieces.map((piece) => piece.toString(16));
  if (best.start === -1) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}
