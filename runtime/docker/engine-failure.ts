import type { StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import type { EngineAddress } from "./address.ts";

/** What keeps a call from the engine. `isFirst`: it has not answered yet. */
export function unreachable(
  { name, from, tls }: EngineAddress,
  cause: unknown,
  isFirst = false,
): StepFailure {
  const { code = "", message } = causeOf(cause);
  const engine = `The engine at ${name} (from ${from})`;
  if (isTls(code)) {
    return failure("ERR_DOCKER_TLS", `${engine} can't be trusted, or does not trust this host: ${message}.`);
  }
  if (code === "EACCES") {
    const message = `${engine} can't be used: this user may not open its socket.`;
    return failure("ERR_DOCKER_UNREACHABLE", message);
  }
  // Before its first answer: with TLS 1.3 the client hears of its own certificate only after the handshake.
  if (tls !== undefined && isFirst && /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(code)) {
    const why = "it closed the connection, as it does when it does not trust this host's certificate";
    return failure("ERR_DOCKER_TLS", `${engine} refuses: ${why}.`);
  }
  const why = code === "ENOENT" ? "its socket is not there" : message;
  return failure("ERR_DOCKER_UNREACHABLE", `${engine} does not answer: ${why}.`);
}

/** What the engine says is wrong with a call. */
export function callFailure({ name }: EngineAddress, status: number, text: string): StepFailure {
  const said = messageOf(text);
  if (/HTTP request to an HTTPS server/i.test(said)) {
    const message = `The engine at ${name} wants TLS, and was called without: ${said}`;
    return failure("ERR_DOCKER_TLS", message);
  }
  return failure("ERR_DOCKER_FAILED", `The engine refused with ${status}: ${said}`);
}

/** The `message` of an answer, or all of it. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Not the engine's own words, such as a proxy's.
  }
  return text.trim().slice(0, 1_000);
}

/** Undici wraps what the socket said, and Node what several addresses said. */
function causeOf(error: unknown): { readonly code?: string; readonly message: string } {
  const { errors, cause, code, message } = error as NodeJS.ErrnoException & {
    readonly errors?: readonly unknown[];
  };
  if (errors?.[0] !== undefined) return causeOf(errors[0]);
  if (cause instanceof Error) return causeOf(cause);
  return { message, ...(code === undefined ? {} : { code }) };
}

function isTls(code: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|EPROTO$)/.test(code) ||
    /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)_|HOSTNAME_MISMATCH/.test(code)
  );
}
