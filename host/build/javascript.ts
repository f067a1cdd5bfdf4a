import { relative, sep } from "node:path";
import type { Problem } from "../errors.ts";
import type { BuildCache, CachedComponent } from "./build-cache.ts";
import { type Bundle, bundleStep, worldOf } from "./bundle.ts";
import type { Display } from "./display.ts";
import { sha256, takeSnapshot } from "./input-snapshot.ts";
import { createSnapshots, type SnapshotAnswer, type Template } from "./snapshots.ts";
import { type SourceLines, sourceOf } from "./source-lines.ts";
import { buildersOf, openTemplate } from "./template.ts";
import type { WorldName } from "./world.ts";

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

/** `timeoutMs` bounds the loading of the step's module. */
interface Bounds {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Builds steps into components. */
export interface JavascriptBuilder {
  /** Throws the signal's reason when it is aborted. */
  build(step: JavascriptStep, bounds?: Bounds): Promise<BuiltJavascript>;
  close(): Promise<void>;
}

/** A builder on a cache. What is in the cache is given back without loading a bundler. */
export async function createJavascriptBuilder(cache: BuildCache): Promise<JavascriptBuilder> {
  const builders = await buildersOf();
  const templates = new Map<WorldName, Promise<Template>>();
  const snapshots = createSnapshots();

  async function fromBundle(step: JavascriptStep, bounds: Bounds): Promise<BuiltJavascript> {
    const since = performance.timeOrigin + performance.now();
    const bundled = await bundleStep(step);
    if (!bundled.ok) return bundled;
    const { bundle } = bundled;
    const template = await templateOf(worldOf[bundle.kind]);
    const key = sha256(JSON.stringify([template.key, bundle.kind, bundle.code, bundle.lines]));
    const found = await cache.find(key);
    const built =
      found === undefined
        ? await fromTemplate(step, template, bundle, key, bounds)
        : { ok: true as const, component: found, cached: true };
    const inputs = built.ok ? await takeSnapshot(step.root, bundle.inputs, since) : undefined;
    if (inputs !== undefined) await cache.putStep(nameOf(step), builders, key, inputs);
    return built;
  }

  async function fromTemplate(
    step: JavascriptStep,
    template: Template,
    { kind, code, lines }: Bundle,
    key: string,
    bounds: Bounds,
  ): Promise<BuiltJavascript> {
    const request = { template, kind, code, lines: JSON.stringify(lines) };
    const { news, component } = await snapshots.take(request, bounds);
    if (component === undefined) return { ok: false, problems: [problemOf(news, step, lines)] };
    return { ok: true, component: await cache.put(key, kind, component), cached: false };
  }

  function templateOf(world: WorldName): Promise<Template> {
    const template = templates.get(world) ?? openTemplate(world, cache);
    templates.set(world, template);
    return template;
  }

  return {
    async build(step, bounds = {}) {
      const known = await cache.findStep(nameOf(step), builders);
      return known === undefined ? fromBundle(step, bounds) : { ok: true, component: known, cached: true };
    },
    close: () => snapshots.close(),
  };
}

function nameOf({ root, file }: JavascriptStep): string {
  return relative(root, file).replaceAll(sep, "/");
}

function problemOf(news: SnapshotAnswer["news"], step: JavascriptStep, lines: SourceLines): Problem {
  const file = step.display(step.file);
  switch (news.kind) {
    case "export":
      return { code: "ERR_BUILD_EXPORT", message: news.message, file };
    case "late":
      return {
        code: "ERR_BUILD_EVALUATION",
        message: `loading the step's module does not end: ${news.message}`,
        file,
      };
    case "threw":
      return {
        code: "ERR_BUILD_EVALUATION",
        message: `the step's module throws when it is loaded: ${news.message}`,
        ...placeOf(news.stack, step, lines),
      };
    case "trapped":
      return {
        code: "ERR_BUILD_EVALUATION",
        message: `loading the step's module ends in a trap, as endless recursion does: ${news.message}`,
        file,
      };
    case "broken":
      return { code: "ERR_BUILD_BROKEN", message: `no component could be made: ${news.message}`, file };
    default:
      return {
        code: "ERR_BUILD_BROKEN",
        message: `no component could be made: the guest is ${news.kind}`,
        file,
      };
  }
}

/** The innermost frame that is in the step's own files. */
function placeOf(
  stack: string,
  { file, display }: JavascriptStep,
  lines: SourceLines,
): Pick<Problem, "file" | "line"> {
  for (const [, line] of stack.matchAll(/<input>:(\d+):\d+/g)) {
    const found = sourceOf(lines, Number(line));
    if (found !== undefined) return { file: display(found.file), line: found.line };
  }
  return { file: display(file) };
}
