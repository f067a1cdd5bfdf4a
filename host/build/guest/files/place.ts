import type { Descriptor } from "millrace:guest/host";
import { percentDecode } from "../url-encoding.ts";
import { decodeUtf8 } from "../text.ts";
import { fsError } from "./errors.ts";

const { host, reachOutside } = __millrace;

/** The folder `/tmp`, and a path from there. */
export interface Place {
  readonly root: Descriptor;
  /** `.` for the folder itself. */
  readonly path: string;
  /** As it was given. */
  readonly shown: string;
}

let root: Descriptor | undefined;

/** Where a path leads; outside of /tmp there is nothing. */
export function placeOf(given: unknown, syscall: string): Place {
  const shown = textOf(given);
  reachOutside("/tmp");
  root ??= host.tmp?.preopens.getDirectories()[0]?.[0];
  const absolute = shown.startsWith("/") ? shown : `/${shown}`;
  const [top, ...names] = absolute.split("/").filter((name) => name !== "" && name !== ".");
  if (root === undefined || top !== "tmp") throw fsError("no-entry", syscall, shown);
  const path = names.join("/") || ".";
  return { root, path: shown.endsWith("/") && path !== "." ? `${path}/` : path, shown };
}

function textOf(given: unknown): string {
  if (typeof given === "string") {
    if (!given.includes("\0")) return given;
    throw invalidArgument("path", "must be a string without null bytes", given, "ERR_INVALID_ARG_VALUE");
  }
  if (given instanceof Uint8Array) return decodeUtf8(given);
  // Not by its class: that would take all that parses URLs into every step with files.
  const { protocol, pathname } = (given ?? {}) as { protocol?: unknown; pathname?: unknown };
  if (protocol === "file:" && typeof pathname === "string") return decodeUtf8(percentDecode(pathname));
  throw invalidArgument("path", "must be of type string or an instance of Buffer or URL", given);
}

function invalidArgument(name: string, wish: string, given: unknown, code = "ERR_INVALID_ARG_TYPE"): Error {
  const error = new TypeError(`The "${name}" argument ${wish}. Received ${String(given)}`);
  return Object.assign(error, { code });
}
