import { MillraceError } from "../errors.ts";
import { type OciReference, ociReferenceText } from "../function/oci-reference.ts";
import { digestOf, openRepository, type Repository, type RepositoryOptions } from "./registry.ts";

/** A component in a registry, as the guidance of the CNCF for Wasm artifacts has it, and `wkg oci push` makes it. */
interface WasmArtifact {
  /** "sha256:…" of the manifest. */
  readonly digest: string;
  /** "sha256:…" of the component. */
  readonly layer: string;
  bytes(): Promise<Uint8Array>;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.wasm.config.v0+json";
const layerType = "application/wasm";
/** What tools before `wkg` called it. */
const layerTypes = new Set([layerType, "application/vnd.wasm.content.layer.v1+wasm"]);

/** Bytes of a component that are taken. */
const mostBytes = 256 * 1024 * 1024;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture?: string };
}

interface Manifest {
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

/** Finds the component that a reference names. Throws ERR_OCI_…. */
export async function findArtifact(
  reference: OciReference,
  options: Omit<RepositoryOptions, "actions">,
): Promise<WasmArtifact> {
  const repository = openRepository(reference, { ...options, actions: "pull" });
  const version = reference.digest ?? reference.tag ?? "latest";
  const { digest, bytes } = await repository.manifest(version);
  const layer = await layerOf(parse(bytes, reference), reference, repository);
  return { digest, layer, bytes: () => repository.blob(layer, mostBytes) };
}

async function layerOf(
  manifest: Manifest,
  reference: OciReference,
  repository: Repository,
  isInner = false,
): Promise<string> {
  const name = ociReferenceText(reference);
  if (manifest.manifests !== undefined && !isInner) {
    const [wasm, ...others] = manifest.manifests.filter(({ platform }) => platform?.architecture === "wasm");
    const [only, ...rest] = manifest.manifests;
    const chosen = wasm ?? (rest.length === 0 ? only : undefined);
    if (chosen === undefined || others.length > 0) {
      const message = `${name} is an index of ${manifest.manifests.length} artifacts, of which not one alone is for wasm.`;
      throw new MillraceError("ERR_OCI_INVALID", message);
    }
    const { bytes } = await repository.manifest(chosen.digest);
    return layerOf(parse(bytes, reference), reference, repository, true);
  }
  const layers = manifest.layers ?? [];
  const [layer, ...others] = layers.filter(({ mediaType }) => layerTypes.has(mediaType));
  if (layer === undefined || others.length > 0 || !/^sha256:[0-9a-f]{64}$/.test(layer.digest)) {
    const types = layers.map(({ mediaType }) => mediaType).join(", ");
    const message = `${name} is no artifact of one component: its layers are of ${types === "" ? "no type" : types}, and one of ${layerType} is expected.`;
    throw new MillraceError("ERR_OCI_INVALID", message);
  }
  return layer.digest;
}

function parse(bytes: Uint8Array, reference: OciReference): Manifest {
  try {
    return (JSON.parse(Buffer.from(bytes).toString("utf8")) ?? {}) as Manifest;
  } catch (cause) {
    const message = `The manifest of ${ociReferenceText(reference)} is not JSON.`;
    throw new MillraceError("ERR_OCI_INVALID", message, { cause });
  }
}

/** A component to be stored, and what its configuration says of it. */
export interface NewArtifact {
  readonly bytes: Uint8Array;
  /** A component for WASI 0.2; else a core module for preview 1. */
  readonly isComponent: boolean;
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

/** Stores a component under the tag of a reference; the reference with its digest. The same again changes nothing. */
export async function putArtifact(
  reference: OciReference,
  { bytes, isComponent, imports, exports }: NewArtifact,
  options: Omit<RepositoryOptions, "actions">,
): Promise<OciReference> {
  const repository = openRepository(reference, { ...options, actions: "pull,push" });
  const layer = { mediaType: layerType, digest: digestOf(bytes), size: bytes.length };
  const config = json({
    // No time: equal components have equal digests.
    created: "1970-01-01T00:00:00Z",
    architecture: "wasm",
    os: isComponent ? "wasip2" : "wasip1",
    layerDigests: [layer.digest],
    component: isComponent ? { imports, exports, target: null } : null,
  });
  await repository.putBlob(bytes);
  await repository.putBlob(config);
  const manifest = json({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, digest: digestOf(config), size: config.length },
    layers: [layer],
  });
  const digest = await repository.putManifest(reference.tag ?? "latest", manifest, manifestType);
  return { ...reference, digest };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
