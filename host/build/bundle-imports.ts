import { join } from "node:path";
import type { OnResolveArgs, OnResolveResult, PartialMessage, Plugin } from "esbuild";
import { adviceFor, nodeModule } from "./node-modules.ts";
import type { GuestCapability } from "./world.ts";

/** The name under which the plugin knows a bundle's entry. */
export const bundleEntry = "millrace:build/entry";

/** What the imports of a step and of the guest lead to. */
interface GuestImports {
  /** Folder of the guest's files, and the extension that they have. */
  readonly guest: string;
  readonly extension: string;
  /** The step's own file. */
  readonly file: string;
  readonly program: boolean;
  /** The guest's optional globals that the step names. */
  readonly optional: readonly OptionalGlobal[];
  /** The capabilities that the step may use, and those that its imports turn out to use. */
  readonly grants: readonly GuestCapability[];
  readonly used: Set<GuestCapability>;
}

/** Globals that are a part of the bundle only when the step names them: every instance begins as a copy of all it holds. */
const optionalGlobals = {
  abort: { install: "installAbort", named: /\b(Abort(Controller|Signal)|(Custom)?Event|EventTarget)\b/ },
  fetch: { install: "installFetch", named: /\b(Headers|Request|Response)\b/ },
  clone: { install: "installClone", named: /\bstructuredClone\b/ },
  text: { install: "installText", named: /\bText(En|De)coder\b/ },
  url: { install: "installUrl", named: /\bURL(SearchParams)?\b/ },
} as const;

/** The file of an optional global. */
export type OptionalGlobal = keyof typeof optionalGlobals;

/** The optional globals that a text names; without `http` there is no fetch, but what goes with it. */
export function optionalGlobalsIn(text: string, http: boolean): readonly OptionalGlobal[] {
  const names = Object.keys(optionalGlobals) as OptionalGlobal[];
  return names.filter(
    (name) => optionalGlobals[name].named.test(text) || (name === "fetch" && http && /\bfetch\b/.test(text)),
  );
}

/** Node modules that the guest stands in for, by its files. */
const standIns: Readonly<Record<string, string>> = { process: "node/process", fs: "node/fs" };

/** Those of a step that has /tmp. */
const fileModules: Readonly<Record<string, string>> = { fs: "files/fs", "fs/promises": "files/promises" };

/** Interfaces of WASI that a step can import by their names, with or without a version. */
const interfaces: Readonly<Record<string, readonly [capability: GuestCapability, file: string]>> = {
  "wasi:config/store": ["config", "wit/config-store"],
  "wasi:keyvalue/store": ["kv", "wit/keyvalue-store"],
  "wasi:keyvalue/atomics": ["kv", "wit/keyvalue-atomics"],
  "wasi:keyvalue/batch": ["kv", "wit/keyvalue-batch"],
};

/** Marks a resolution that this plugin began itself. */
const inner = Symbol("resolving");

/** esbuild's plugin for what no file system has: the bundle's entry, the world's imports, Node's modules, URLs. */
export function guestImports(options: GuestImports): Plugin {
  const { guest, extension, grants, used } = options;
  const guestFile = (name: string): OnResolveResult => ({ path: join(guest, name + extension) });
  return {
    name: "millrace",
    setup(build) {
      build.onResolve({ filter: /^millrace:build\/step$/ }, () => ({ path: options.file }));
      build.onResolve({ filter: /^millrace:build\/entry$/ }, ({ path }) => ({ path, namespace: "entry" }));
      build.onLoad({ filter: /.*/, namespace: "entry" }, () => ({
        contents: entryModule(options),
        loader: "js",
        resolveDir: guest,
      }));
      build.onResolve({ filter: /^(millrace|wasi):/ }, ({ path }) => {
        if (/^millrace:step\/log(@0\.1\.\d+)?$/.test(path) && !options.program) return guestFile("node/log");
        const [capability, file] = interfaceOf(path) ?? [];
        if (capability === undefined || file === undefined)
          return refuse(worldMessage(path, options.program));
        if (!grants.includes(capability))
          return refuse(`${path} takes the capability \`${capability}\`, which the step was not granted.`);
        used.add(capability);
        return guestFile(file);
      });
      build.onResolve({ filter: /^(https?:)?\/\// }, ({ path }) =>
        refuse(`${path} is a URL. Install the package with npm and import it by its name.`),
      );
      build.onResolve({ filter: /^(node:)?[a-z_0-9]+(\/[a-z_0-9]+)*$/ }, async (args) => {
        const module = nodeModule(args.path);
        if (module === undefined || args.pluginData === inner) return undefined;
        return resolveNodeModule(module, args);
      });
      build.onLoad({ filter: /.*/, namespace: "missing" }, ({ path }) => ({
        contents: `throw new Error(${JSON.stringify(missingMessage(path))});`,
        loader: "js",
      }));

      async function resolveNodeModule(module: string, args: OnResolveArgs): Promise<OnResolveResult> {
        if (!args.path.startsWith("node:")) {
          // A package may have the name of a Node module: events, buffer, util.
          const { kind, importer, resolveDir } = args;
          const found = await build.resolve(args.path, { kind, importer, resolveDir, pluginData: inner });
          if (found.errors.length === 0 && !found.external && found.namespace === "file")
            return { path: found.path };
        }
        const file = Object.hasOwn(fileModules, module) ? fileModules[module] : undefined;
        if (file !== undefined && grants.includes("tmp")) {
          used.add("tmp");
          return guestFile(file);
        }
        const standIn = Object.hasOwn(standIns, module) ? standIns[module] : undefined;
        if (standIn !== undefined && (module === "process" || options.program)) return guestFile(standIn);
        // A package may import what it does not need in the end, so it fails when it is evaluated.
        if (/[\\/]node_modules[\\/]/.test(args.importer)) return { path: module, namespace: "missing" };
        return refuse(missingMessage(module));
      }
    },
  };
}

/** The bundle's entry: the globals that the step names, and the loader of its module. */
function entryModule({ optional, extension }: GuestImports): string {
  const imports = optional.map(
    (name) => `import { ${optionalGlobals[name].install} } from "./${name}${extension}";`,
  );
  const calls = optional.map((name) => `${optionalGlobals[name].install}();`);
  const load = 'export const load = () => import("millrace:build/step");';
  return [...imports, ...calls, load].join("\n");
}

function refuse(text: string): OnResolveResult {
  const message: PartialMessage = { text, detail: "import" };
  return { errors: [message] };
}

function missingMessage(module: string): string {
  return `node:${module} is a module of Node.js, which a sandboxed step does not have. ${adviceFor(module)}`;
}

function interfaceOf(path: string): (typeof interfaces)[string] | undefined {
  const name = path.replace(/@.*$/, "");
  return Object.hasOwn(interfaces, name) ? interfaces[name] : undefined;
}

function worldMessage(path: string, program: boolean): string {
  if (path.startsWith("millrace:step/log"))
    return `${path} is for steps that export; a program writes to console.error.`;
  return `${path} is not in the step's world${program ? "" : ", which has millrace:step/log"}.`;
}
