/** An artifact in an OCI registry. */
export interface OciReference {
  /** Host, and port if there is one. */
  readonly registry: string;
  readonly repository: string;
  /** One of them is there at least; the digest says which artifact it is, whatever the tag names now. */
  readonly tag?: string;
  /** "sha256:…" of the manifest. */
  readonly digest?: string;
}

const scheme = "oci://";

const form = /^(?<registry>[^/@]+)\/(?<repository>[^:@]+)(?::(?<tag>[^:@/]+))?(?:@(?<digest>[^@]+))?$/;

/** Whether a step's `path` is such a reference, right or wrong. */
export function isOciReference(path: string): boolean {
  return path.startsWith(scheme);
}

/** Reads "oci://registry/repository:tag" or "oci://registry/repository@sha256:…"; what is wrong with it, else. */
export function parseOciReference(
  text: string,
  { needsVersion = true }: { readonly needsVersion?: boolean } = {},
): OciReference | { readonly message: string } {
  const found = form.exec(text.slice(scheme.length))?.groups;
  const { registry = "", repository = "", tag, digest } = found ?? {};
  if (found === undefined || !isOciReference(text)) {
    return { message: `${JSON.stringify(text)} is no reference to a registry` };
  }
  if (!/^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(registry)) {
    return { message: `${JSON.stringify(registry)} is no host name of a registry` };
  }
  if (!/[.:]/.test(registry) && registry !== "localhost") {
    return {
      message: `${registry} is no registry's host name: oci://ghcr.io/${registry}/${repository}, say`,
    };
  }
  if (repository.length > 255 || !repository.split("/").every(isRepositoryPart)) {
    return {
      message: `${JSON.stringify(repository)} is no repository: it has small letters, digits, . _ - and /`,
    };
  }
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) {
    return { message: `${JSON.stringify(tag)} is no tag: it has up to 128 letters, digits, . _ and -` };
  }
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    return { message: `${JSON.stringify(digest)} is no digest: sha256: and 64 hex digits` };
  }
  if (needsVersion && tag === undefined && digest === undefined) {
    return { message: "it names neither a tag nor a digest" };
  }
  return { registry, repository, ...(tag && { tag }), ...(digest && { digest }) };
}

/** Whether a text can stand between the slashes of a repository's name. */
export function isRepositoryPart(text: string): boolean {
  return /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/.test(text);
}

/** The reference as text, with its digest in place of a tag where it has one. */
export function ociReferenceText({ registry, repository, tag, digest }: OciReference): string {
  const version = digest === undefined ? `:${tag ?? ""}` : `@${digest}`;
  return `${scheme}${registry}/${repository}${version}`;
}
