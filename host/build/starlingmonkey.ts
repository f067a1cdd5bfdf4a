import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { bundleEngineGuest, bundleStep, worldOf } from "./bundle.ts";
import type { Compiled, Compiler, CompileJob } from "./compiled.ts";
import { isAtLeast, missing, tooOld } from "./toolchains.ts";
import { buildersOf } from "./template.ts";
import { worldFiles, writeWorld } from "./world.ts";

const tools = "@bytecodealliance/componentize-js";
const needed = "0.23";
const line = `npm install --save-dev ${tools}`;
const install = { debian: line, macos: line };

/** What a step may ask the host for there: StarlingMonkey brings a fetch of its own. */
const possible = ["http"] as const;

/** What is used of componentize-js. */
interface ComponentizeModule {
  componentize(
    source: string,
    options: {
      readonly witPath: string;
      readonly worldName: string;
      readonly disableFeatures: readonly string[];
    },
  ): Promise<{ readonly component: Uint8Array }>;
}

/** JavaScript on StarlingMonkey, which is Firefox's engine with the APIs of the web. */
export const starlingmonkey: Compiler = {
  language: "javascript",
  async findToolchain({ root }) {
    const found = await findPackage(root);
    if (found === undefined) return missing(`${tools} is not installed in the project`, install);
    const { version, entry } = found;
    if (!isAtLeast(version, needed)) return tooOld(tools, version, needed, install);
    const identity = `${tools} ${version} ${await buildersOf()}`;
    return { ok: true, toolchain: { version: identity, compile: (job) => compile(job, entry) } };
  },
};

interface Package {
  readonly version: string;
  /** The module to load. */
  readonly entry: string;
}

/** The package as the project has it: in its folder, or above. */
async function findPackage(root: string): Promise<Package | undefined> {
  for (let folder = root; ; folder = dirname(folder)) {
    const place = join(folder, "node_modules", tools);
    const text = await readFile(join(place, "package.json"), "utf8").catch(() => undefined);
    if (text !== undefined) {
      const { version, exports } = JSON.parse(text) as {
        readonly version: string;
        readonly exports?: { readonly import?: string };
      };
      return { version, entry: join(place, exports?.import ?? "src/componentize.js") };
    }
    if (folder === dirname(folder)) return undefined;
  }
}

async function compile(job: CompileJob, entry: string): Promise<Compiled> {
  const { root, file, folder, output, display, grants = [] } = job;
  const other = grants.filter((name) => name !== "http");
  if (other.length > 0) {
    const names = other.map((name) => `\`${name}\``).join(", ");
    const message = `a step on StarlingMonkey can't have the capability ${names}: leave out "interpreter"`;
    return { ok: false, problems: [{ code: "ERR_BUILD_IMPORT", message, file: display(file) }] };
  }
  const http = grants.includes("http");
  const bundled = await bundleStep({ root, file, display, grants: http ? possible : [], engine: "starling" });
  if (!bundled.ok) return bundled;
  const { kind, code, lines, inputs } = bundled.bundle;
  const world = worldOf[kind];
  const known = { __millraceKind: kind, __millraceHttp: http, __millraceLines: JSON.stringify(lines) };
  const declared = Object.entries(known).map(
    ([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`,
  );
  const guest = await bundleEngineGuest(`starling/${world}`, worldModules);
  // The bundle comes first, so that its lines are those of the whole.
  const source = `const __millraceStep = ${code};\n${declared.join("")}${guest}`;
  const witPath = await writeWorld(folder, worldFiles());
  try {
    const { componentize } = (await import(pathToFileURL(entry).href)) as ComponentizeModule;
    const disableFeatures = http ? ["fetch-event"] : ["http", "fetch-event"];
    const { component } = await componentize(source, { witPath, worldName: world, disableFeatures });
    await writeFile(output, component);
    return { ok: true, inputs };
  } catch (error) {
    const said = (error as Error).message.split("\n").slice(-15);
    const message = "componentize-js made no component of it";
    return { ok: false, problems: [{ code: "ERR_BUILD_FAILED", message, file: display(file), said }] };
  }
}

/** Interfaces of the world have their functions on a default export for QuickJS, and by name here. */
const worldModules: Plugin = {
  name: "world",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(wasi|millrace:step)[:/]/ }, ({ path, namespace }) =>
      namespace === "world" ? { path, external: true } : { path, namespace: "world" },
    );
    onLoad({ filter: /.*/, namespace: "world" }, ({ path }) => ({
      contents: `import * as all from ${JSON.stringify(path)}; export default all;`,
    }));
  },
};
