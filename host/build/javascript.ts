import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative, sep } from "node:path";
import type { Problem } from "../errors.ts";
import type { BuildCache, CachedComponent } from "./build-cache.ts";
import { type Bundle, bundleStep, worldOf } from "./bundle.ts";
import { componentize } from "./componentize.ts";
import type { Display } from "./display.ts";
import { sha256, takeSnapshot } from "./input-snapshot.ts";
import { type SourceLines, sourceOf } from "./source-lines.ts";
import { worldDigest, worldFiles, writeWorld } from "./world.ts";

/** A JavaScript or TypeScript step to build. Paths are absolute. */
interface JavascriptStep {
  readonly root: string;
  readonly file: string;
  readonly display: Display;
}

/** What building one gave. */
type BuiltJavascript =
  | { readonly ok: true; readonly component: CachedComponent; readonly cached: boolean }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Builds steps into components. */
export interface JavascriptBuilder {
  /** `timeoutMs` bounds the evaluation of the step's module; throws the signal's reason when it is aborted. */
  build(
    step: JavascriptStep,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<BuiltJavascript>;
}

/** What the guest tells while it is evaluated for the snapshot. */
type GuestNews =
  | { readonly kind: "deferred"; readonly reason: string }
  | { readonly kind: "export"; readonly message: string }
  | { readonly kind: "threw"; readonly message: string; readonly stack: string };

/** A builder on a cache. What is in the cache is given back without loading a bundler. */
export function createJavascriptBuilder(cache: BuildCache): JavascriptBuilder {
  const texts = worldFiles();
  const builders = [
    worldDigest(texts),
    version("componentize-qjs"),
    version("esbuild"),
    version("millrace"),
  ].join(" ");
  let world: Promise<string> | undefined;

  async function fromBundle(
    step: JavascriptStep,
    options: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<BuiltJavascript> {
    const since = performance.timeOrigin + performance.now();
    const bundled = await bundleStep({ ...step, deferred: false });
    if (!bundled.ok) return bundled;
    const { bundle } = bundled;
    const key = sha256(JSON.stringify([builders, bundle.kind, bundle.code, bundle.lines]));
    const found = await cache.find(key);
    const built =
      found === undefined
        ? await fromSource(step, bundle, key, options)
        : { ok: true as const, component: found, cached: true };
    const inputs = built.ok ? await takeSnapshot(step.root, bundle.inputs, since) : undefined;
    if (inputs !== undefined) await cache.putStep(nameOf(step), builders, key, inputs);
    return built;
  }

  async function fromSource(
    step: JavascriptStep,
    bundle: Bundle,
    key: string,
    options: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<BuiltJavascript> {
    const file = step.display(step.file);
    const answer = await makeComponent(bundle, key, options);
    if (answer.ok) return { ok: true, component: answer.component, cached: false };
    const { news } = answer;
    if (news?.kind === "deferred") {
      const deferred = await bundleStep({ ...step, deferred: true });
      if (!deferred.ok) return deferred;
      const second = await makeComponent(deferred.bundle, key, options);
      if (second.ok) return { ok: true, component: second.component, cached: false };
      return { ok: false, problems: [problemOf(second, step, deferred.bundle.lines)] };
    }
    if (news?.kind === "export")
      return { ok: false, problems: [{ code: "ERR_BUILD_EXPORT", message: news.message, file }] };
    return { ok: false, problems: [problemOf(answer, step, bundle.lines)] };
  }

  async function makeComponent(
    bundle: Bundle,
    key: string,
    options: { signal?: AbortSignal; timeoutMs?: number },
  ) {
    const draft = join(cache.folder, `${key}.${randomUUID()}`);
    const source = `${draft}.js`;
    const target = `${draft}.wasm`;
    world ??= writeWorld(cache.folder, texts);
    try {
      await writeFile(source, withLines(bundle));
      const request = { source, wit: await world, world: worldOf[bundle.kind], target };
      const answer = await componentize(request, options);
      if (!answer.ok) return { ...answer, news: newsIn(answer.message) };
      return { ok: true as const, component: await cache.put(key, bundle.kind, await readFile(target)) };
    } finally {
      await Promise.all([rm(source, { force: true }), rm(target, { force: true })]);
    }
  }

  return {
    async build(step, options = {}) {
      const known = await cache.findStep(nameOf(step), builders);
      return known === undefined ? fromBundle(step, options) : { ok: true, component: known, cached: true };
    },
  };
}

function version(name: string): string {
  const { version: found } = createRequire(import.meta.url)(`${name}/package.json`) as {
    readonly version: string;
  };
  return `${name}@${found}`;
}

function nameOf({ root, file }: JavascriptStep): string {
  return relative(root, file).replaceAll(sep, "/");
}

/** The line table follows the code, so that it moves none of its lines. */
function withLines({ code, lines }: Bundle): string {
  return `${code}\nglobalThis.__millraceLines = ${JSON.stringify(JSON.stringify(lines))};\n`;
}

function newsIn(message: string): GuestNews | undefined {
  const text = /millrace-build:(\{.*\})/.exec(message)?.[1];
  return text === undefined ? undefined : (JSON.parse(text) as GuestNews);
}

interface Refusal {
  readonly message: string;
  readonly late?: boolean;
  readonly news: GuestNews | undefined;
}

function problemOf({ message, late, news }: Refusal, step: JavascriptStep, lines: SourceLines): Problem {
  const file = step.display(step.file);
  if (late === true) {
    return {
      code: "ERR_BUILD_EVALUATION",
      message: `loading the step's module does not end: ${message}`,
      file,
    };
  }
  if (news?.kind !== "threw")
    return { code: "ERR_BUILD_BROKEN", message: `no component could be made: ${message}`, file };
  const place = /user\.js:(\d+):\d+/g;
  const found = [...news.stack.matchAll(place)].flatMap(
    (match) => sourceOf(lines, Number(match[1])) ?? [],
  )[0];
  return {
    code: "ERR_BUILD_EVALUATION",
    message: `the step's module throws when it is loaded: ${news.message}`,
    file: found === undefined ? file : step.display(found.file),
    ...(found === undefined ? {} : { line: found.line }),
  };
}
