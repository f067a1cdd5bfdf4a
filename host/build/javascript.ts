import type { Problem } from "../errors.ts";
import type { BuildCache } from "./build-cache.ts";
import { type Bundle, bundleStep, worldOf } from "./bundle.ts";
import { sha256, takeSnapshot } from "./input-snapshot.ts";
import {
  type Bounds,
  type BuiltStep,
  nameOf,
  type StepBuilder,
  type StepToBuild,
} from "./languages/language.ts";
import { openPrebuilt } from "./prebuilt.ts";
import { createSnapshots, type SnapshotAnswer, type Template } from "./snapshots.ts";
import { type SourceLines, sourceOf } from "./source-lines.ts";
import { guestFor, type GuestName, guestText } from "./guest-name.ts";
import { buildersOf, openTemplate } from "./template.ts";
import { type GuestCapability, guestCapabilities } from "./world.ts";

/**
 * A builder of JavaScript on a cache; `timeoutMs` bounds the loading of a step's module. What is in the cache is given
 * back without loading a bundler.
 */
export async function createJavascriptBuilder(cache: BuildCache): Promise<StepBuilder> {
  const builders = await buildersOf();
  const templates = new Map<string, Promise<Template>>();
  const snapshots = createSnapshots();
  const prebuilt = openPrebuilt();

  async function fromBundle(step: StepToBuild, bounds: Bounds): Promise<BuiltStep> {
    const since = performance.timeOrigin + performance.now();
    const bundled = await bundleStep({ ...step, grants: grantsOf(step) });
    if (!bundled.ok) return bundled;
    const { bundle } = bundled;
    const template = await templateOf(guestFor(worldOf[bundle.kind], bundle.capabilities));
    const key = sha256(JSON.stringify([template.key, bundle.kind, bundle.code, bundle.lines]));
    const found = await cache.find(key);
    const built =
      found === undefined
        ? await fromTemplate(step, template, bundle, key, bounds)
        : { ok: true as const, component: found, cached: true };
    const inputs = built.ok ? await takeSnapshot(step.root, bundle.inputs, since) : undefined;
    if (inputs !== undefined) await cache.putStep(entryOf(step), builders, key, inputs);
    return built;
  }

  async function fromTemplate(
    step: StepToBuild,
    template: Template,
    { kind, code, lines }: Bundle,
    key: string,
    bounds: Bounds,
  ): Promise<BuiltStep> {
    const request = { template, kind, code, lines: JSON.stringify(lines) };
    const { news, component } = await snapshots.take(request, bounds);
    if (component === undefined) return { ok: false, problems: [problemOf(news, step, lines)] };
    return { ok: true, component: await cache.put(key, component), cached: false };
  }

  function templateOf(guest: GuestName): Promise<Template> {
    const name = guestText(guest);
    const template = templates.get(name) ?? openTemplate(guest, cache, prebuilt);
    templates.set(name, template);
    return template;
  }

  return {
    async build(step, bounds = {}) {
      const known = await cache.findStep(entryOf(step), builders);
      return known === undefined ? fromBundle(step, bounds) : { ok: true, component: known, cached: true };
    },
    close: () => snapshots.close(),
  };
}

/** What of the step's grants decides how it is built. */
function grantsOf({ grants = [] }: StepToBuild): readonly GuestCapability[] {
  return guestCapabilities.filter((name) => grants.includes(name));
}

/** Under which name the step's inputs are kept: another grant may build another component of the same file. */
function entryOf(step: StepToBuild): string {
  return [nameOf(step), ...grantsOf(step)].join("+");
}

function problemOf(news: SnapshotAnswer["news"], step: StepToBuild, lines: SourceLines): Problem {
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
  { file, display }: StepToBuild,
  lines: SourceLines,
): Pick<Problem, "file" | "line"> {
  for (const [, line] of stack.matchAll(/<input>:(\d+):\d+/g)) {
    const found = sourceOf(lines, Number(line));
    if (found !== undefined) return { file: display(found.file), line: found.line };
  }
  return { file: display(file) };
}
