/** What a size looks like, as a JSON Schema pattern. */
export const sizePattern = "^\\d{1,12}(\\.\\d{1,6})? ?(B|kB|KB|KiB|MB|MiB|GB|GiB)$";

const pattern = new RegExp(sizePattern, "u");
const units: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  KiB: 2 ** 10,
  MB: 1e6,
  MiB: 2 ** 20,
  GB: 1e9,
  GiB: 2 ** 30,
};

/** A size such as "64MiB" or 65536 in whole bytes; undefined when it is none. */
export function parseSize(size: string | number): number | undefined {
  if (typeof size === "number") return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
  if (!pattern.test(size)) return undefined;
  const unit = units[size.replace(/^[\d. ]+/, "")] ?? Number.NaN;
  return Math.round(Number.parseFloat(size) * unit);
}
