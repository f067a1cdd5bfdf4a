/** What a step's `path` gave: the way relative to the document, or why it is none. */
export type StepPath =
  | { readonly ok: true; readonly path: string }
  | {
      readonly ok: false;
      readonly code: "ERR_FUNCTION_PATH" | "ERR_FUNCTION_PATH_OUTSIDE";
      readonly message: string;
      readonly suggestion?: string;
    };

const scheme = "file://";

/**
 * The relative path, with forward slashes and without dots, that a step's `path` names: "steps/greet.ts" for
 * "file://./steps/greet.ts". Nothing is decoded: %2e is three characters of a name.
 */
export function parseStepPath(text: string): StepPath {
  if (!text.startsWith(scheme)) {
    return refuse("ERR_FUNCTION_PATH", `${JSON.stringify(text)} is no file URL`, suggestionFor(text));
  }
  const rest = text.slice(scheme.length);
  if (/[\\\p{Cc}\p{Cs}]/u.test(rest)) {
    return refuse(
      "ERR_FUNCTION_PATH",
      "a path has forward slashes, and no control characters",
      suggestionFor(text),
    );
  }
  if (rest.startsWith("/") || /^[A-Za-z]:/.test(rest)) {
    return refuse("ERR_FUNCTION_PATH_OUTSIDE", "the path is absolute; it must be relative to the document");
  }
  const segments: string[] = [];
  for (const segment of rest.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) {
      return refuse("ERR_FUNCTION_PATH_OUTSIDE", "the path leaves the folder of the document");
    }
  }
  if (segments.length === 0) return refuse("ERR_FUNCTION_PATH", "the path names no file");
  // Without the dot, a URL's first part would be a host.
  if (!/^\.{1,2}\//.test(rest)) {
    return refuse(
      "ERR_FUNCTION_PATH",
      "a relative file URL begins with file://./",
      `${scheme}./${segments.join("/")}`,
    );
  }
  return { ok: true, path: segments.join("/") };
}

function refuse(
  code: "ERR_FUNCTION_PATH" | "ERR_FUNCTION_PATH_OUTSIDE",
  message: string,
  suggestion?: string,
): StepPath {
  return { ok: false, code, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function suggestionFor(text: string): string | undefined {
  const plain = text.replace(/^file:\/*/, "").replaceAll("\\", "/");
  if (plain === "" || /^([A-Za-z][A-Za-z+.-]*:|\/)/.test(plain) || /[\p{Cc}\p{Cs}]/u.test(plain))
    return undefined;
  const relative = parseStepPath(`${scheme}./${plain}`);
  return relative.ok ? `${scheme}./${relative.path}` : undefined;
}
