import { MillraceError } from "../errors.ts";
import type { Credentials } from "./credentials.ts";
import { isLoopback, type OciAnswer, send } from "./transport.ts";

/** Bytes of an answer with a token. */
const mostBytes = 1024 * 1024;

/**
 * The authorization that a registry's 401 asks for: Basic, or a token from the service that it names. Undefined where
 * it asks for something else, or there is nothing to give it.
 */
export async function authorize(
  answer: OciAnswer,
  { repository, actions, credentials, signal }: AuthorizeOptions,
): Promise<string | undefined> {
  const challenge = answer.header("www-authenticate") ?? "";
  const [kind = ""] = challenge.split(" ", 1);
  if (kind.toLowerCase() === "basic") {
    return credentials !== undefined && "user" in credentials ? basic(credentials) : undefined;
  }
  if (kind.toLowerCase() !== "bearer") return undefined;
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [
      name.toLowerCase(),
      value,
    ]),
  );
  const realm = URL.parse(parameters["realm"] ?? "");
  if (realm === null) return undefined;
  if (realm.protocol !== "https:" && !isLoopback(realm)) {
    const message = `The registry wants its password sent to ${realm.origin}, which is not encrypted.`;
    throw new MillraceError("ERR_OCI_DENIED", message);
  }
  const service = parameters["service"] ?? "";
  const scope = parameters["scope"] ?? `repository:${repository}:${actions}`;
  const token =
    credentials !== undefined && "refreshToken" in credentials
      ? await exchange(realm, { service, scope, refreshToken: credentials.refreshToken, signal })
      : await ask(realm, { service, scope, credentials, signal });
  return token === undefined ? undefined : `Bearer ${token}`;
}

interface AuthorizeOptions {
  readonly repository: string;
  /** "pull" or "pull,push". */
  readonly actions: string;
  readonly credentials: Credentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

function basic({ user, password }: Extract<Credentials, { readonly user: string }>): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

async function ask(
  realm: URL,
  options: {
    readonly service: string;
    readonly scope: string;
    readonly credentials: Extract<Credentials, { readonly user: string }> | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<string | undefined> {
  const { service, scope, credentials, signal } = options;
  const url = new URL(realm);
  if (service !== "") url.searchParams.set("service", service);
  url.searchParams.set("scope", scope);
  const headers = credentials === undefined ? {} : { authorization: basic(credentials) };
  return tokenOf(await send({ method: "GET", url, headers, signal }, mostBytes));
}

async function exchange(
  url: URL,
  options: {
    readonly service: string;
    readonly scope: string;
    readonly refreshToken: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<string | undefined> {
  const { service, scope, refreshToken, signal } = options;
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    service,
    scope,
    client_id: "millrace",
    refresh_token: refreshToken,
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return tokenOf(await send({ method: "POST", url, headers, body: body.toString(), signal }, mostBytes));
}

function tokenOf({ status, body }: OciAnswer): string | undefined {
  if (status !== 200) return undefined;
  try {
    const { token, access_token: accessToken } = JSON.parse(body.toString("utf8")) as Record<string, string>;
    return token ?? accessToken;
  } catch {
    return undefined;
  }
}
