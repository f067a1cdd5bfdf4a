/** What a .dockerignore file leaves out. Paths are relative to its folder, with forward slashes. */
export interface Ignore {
  file(path: string): boolean;
  /** Whether nothing below a folder can be wanted, so that it need not be looked into. */
  wholeFolder(path: string): boolean;
}

interface Rule {
  readonly pattern: RegExp;
  /** It brings back what a rule before it left out. */
  readonly keeps: boolean;
}

/**
 * Reads a .dockerignore file as Docker does: a pattern a line, `#` for comments, `!` for exceptions, `**` for any number
 * of folders; the last line that fits a file, or a folder above it, decides.
 */
export function createIgnore(text: string): Ignore {
  const rules = text.split(/\r?\n/).flatMap((line) => {
    const trimmed = line.trim();
    if (line.startsWith("#") || trimmed === "") return [];
    const keeps = trimmed.startsWith("!");
    const rest = (keeps ? trimmed.slice(1) : trimmed).trim();
    const path = rest
      .split("/")
      .filter((segment) => segment !== "" && segment !== ".")
      .join("/");
    return path === "" ? [] : [{ pattern: patternOf(path), keeps }];
  });
  const isIgnored = (path: string): boolean => {
    const decides = rules.findLast(({ pattern }) => withParents(path).some((one) => pattern.test(one)));
    return decides?.keeps === false;
  };
  const exceptions = rules.some(({ keeps }: Rule) => keeps);
  return { file: isIgnored, wholeFolder: (path) => !exceptions && isIgnored(path) };
}

function withParents(path: string): readonly string[] {
  const segments = path.split("/");
  return segments.map((_, index) => segments.slice(0, index + 1).join("/"));
}

/** What is no pattern, such as a range that goes backwards, fits nothing. */
function patternOf(path: string): RegExp {
  const source = path.replaceAll(/\*\*\/?|\*|\?|\[\^?[^\]/]+\]|\\?[^]/gu, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.startsWith("[") && part.length > 1) return part.replaceAll("\\", "\\\\");
    return part.replace(/^\\(?=.)/su, "").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    return /(?!)/;
  }
}
