type Encoding = string | null | undefined;

/** What Node's functions take behind their arguments: an encoding, or an object of options. */
export type Options = Encoding | Readonly<Record<string, unknown>>;

/** The options as an object. */
export function optionsOf(options: Options): Readonly<Record<string, unknown>> {
  return typeof options === "string" ? { encoding: options } : (options ?? {});
}

/** The encoding, where it is one of text. */
export function encodingOf(options: Options): string | undefined {
  const { encoding } = optionsOf(options);
  return typeof encoding === "string" && encoding !== "buffer" ? encoding : undefined;
}
