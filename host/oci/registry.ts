import { createHash } from "node:crypto";
import { MillraceError } from "../errors.ts";
import type { OciReference } from "../function/oci-reference.ts";
import { authorize } from "./authorize.ts";
import { findCredentials } from "./credentials.ts";
import { isLoopback, type OciAnswer, type OciRequest, send } from "./transport.ts";

/** A manifest as the registry has it. */
interface Manifest {
  /** "sha256:…" of its bytes. */
  readonly digest: string;
  readonly bytes: Buffer;
}

/** One repository of a registry, by the OCI distribution specification 1.1. */
export interface Repository {
  /** The manifest of a tag or digest, of which a digest is checked. Throws ERR_OCI_MISSING. */
  manifest(version: string): Promise<Manifest>;
  /** A blob of at most so many bytes; its digest is checked. */
  blob(digest: string, most: number): Promise<Buffer>;
  hasBlob(digest: string): Promise<boolean>;
  /** Stores a blob unless it is there. */
  putBlob(bytes: Uint8Array): Promise<void>;
  /** Stores a manifest under a tag; its digest. */
  putManifest(tag: string, bytes: Uint8Array, mediaType: string): Promise<string>;
}

/** How to speak to it. */
export interface RepositoryOptions {
  readonly actions: "pull" | "pull,push";
  readonly signal?: AbortSignal | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/** Manifests are lists of names and sizes. */
const mostManifestBytes = 4 * 1024 * 1024;
const mostOtherBytes = 1024 * 1024;

const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** "sha256:…" of bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Opens a repository; what it asks for is looked up once it asks. Throws ERR_OCI_UNREACHABLE, ERR_OCI_DENIED. */
export function openRepository(
  { registry, repository }: OciReference,
  { actions, signal, env }: RepositoryOptions,
): Repository {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  const named = new URL(`https://${host}`);
  const base = `${isLoopback(named) ? "http" : "https"}://${host}/v2/${repository}`;
  const name = `${registry}/${repository}`;
  let authorization: string | undefined;

  async function ask(request: Omit<OciRequest, "signal">, most = mostOtherBytes): Promise<OciAnswer> {
    const sent = { ...request, signal };
    const withAuthorization = (): OciRequest => ({
      ...sent,
      // An upload may be sent elsewhere, where the authorization has no business.
      headers: {
        ...request.headers,
        ...(authorization && request.url.host === host && { authorization }),
      },
    });
    const first = await send(withAuthorization(), most);
    if (first.status !== 401) return checked(first);
    const credentials = await findCredentials(registry, env);
    authorization = await authorize(first, { repository, actions, credentials, signal });
    if (authorization === undefined) throw denied(first, credentials !== undefined);
    const second = await send(withAuthorization(), most);
    if (second.status === 401) throw denied(second, credentials !== undefined);
    return checked(second);
  }

  function checked(answer: OciAnswer): OciAnswer {
    if (answer.status === 403) throw denied(answer, true);
    if (answer.status >= 500 || answer.status === 429) {
      const message = `The registry of ${name} answered ${answer.status}: ${reasonOf(answer)}.`;
      throw new MillraceError("ERR_OCI_UNREACHABLE", message);
    }
    return answer;
  }

  function denied(answer: OciAnswer, hasCredentials: boolean): MillraceError {
    const who = hasCredentials ? "refuses these credentials" : `wants credentials: docker login ${registry}`;
    return new MillraceError("ERR_OCI_DENIED", `The registry of ${name} ${who} (${reasonOf(answer)}).`);
  }

  function refused(what: string, answer: OciAnswer): MillraceError {
    const message = `The registry of ${name} refused ${what} with ${answer.status}: ${reasonOf(answer)}.`;
    return new MillraceError("ERR_OCI_INVALID", message);
  }

  const hasBlob = async (digest: string): Promise<boolean> =>
    (await ask({ method: "HEAD", url: new URL(`${base}/blobs/${digest}`) })).status === 200;

  return {
    hasBlob,
    async manifest(version) {
      const url = new URL(`${base}/manifests/${version}`);
      const answer = await ask({ method: "GET", url, headers: { accept: manifestTypes } }, mostManifestBytes);
      if (answer.status === 404)
        throw new MillraceError("ERR_OCI_MISSING", `There is no ${version} of ${name}.`);
      if (answer.status !== 200) throw refused(version, answer);
      const digest = digestOf(answer.body);
      if (version.startsWith("sha256:") && digest !== version) throw mismatch(version, digest);
      return { digest, bytes: answer.body };
    },
    async blob(digest, most) {
      const answer = await ask({ method: "GET", url: new URL(`${base}/blobs/${digest}`) }, most);
      if (answer.status === 404)
        throw new MillraceError("ERR_OCI_MISSING", `There is no ${digest} of ${name}.`);
      if (answer.status !== 200) throw refused(digest, answer);
      const found = digestOf(answer.body);
      if (found !== digest) throw mismatch(digest, found);
      return answer.body;
    },
    async putBlob(bytes) {
      const digest = digestOf(bytes);
      if (await hasBlob(digest)) return;
      const begun = await ask({ method: "POST", url: new URL(`${base}/blobs/uploads/`) });
      const location = begun.header("location");
      if (begun.status !== 202 || location === undefined) throw refused("an upload", begun);
      const url = new URL(location, base);
      url.searchParams.set("digest", digest);
      const headers = { "content-type": "application/octet-stream" };
      const done = await ask({ method: "PUT", url, headers, body: bytes });
      if (done.status !== 201) throw refused(digest, done);
    },
    async putManifest(tag, bytes, mediaType) {
      const url = new URL(`${base}/manifests/${tag}`);
      const headers = { "content-type": mediaType };
      const answer = await ask({ method: "PUT", url, headers, body: bytes });
      if (answer.status !== 201) throw refused(`the manifest of ${tag}`, answer);
      return digestOf(bytes);
    },
  };

  function mismatch(wanted: string, found: string): MillraceError {
    return new MillraceError("ERR_OCI_INVALID", `The registry of ${name} sent ${found} for ${wanted}.`);
  }
}

/** What the registry says in words, or the first of its body. */
function reasonOf({ body, status }: OciAnswer): string {
  try {
    const { errors = [] } = JSON.parse(body.toString("utf8")) as {
      readonly errors?: readonly { readonly code?: string; readonly message?: string }[];
    };
    const [first] = errors;
    return first?.message ?? first?.code ?? String(status);
  } catch {
    return body.length === 0 ? String(status) : body.toString("utf8", 0, 200).trim();
  }
}
