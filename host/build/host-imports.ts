import type { Plugin } from "esbuild";
import type { GuestCapability } from "./world.ts";

/** What the guest's `millrace:guest/host` has for each capability: modules of its world, by the name they have there. */
const modules: Readonly<Record<GuestCapability, Readonly<Record<string, string>>>> = {
  http: {
    poll: "wosi:io/poll@0.2.9",
    clock: "wosi:clocks/monotonic-clock@0.2.9",
    types: "wosi:http/types@0.2.9",
    handler: "wosi:http/outgoing-handler@0.2.9",
  },
  config: { store: "wasi:config/store@0.2.0-draft" },
  kv: {
    store: "wasi:keyvalue/store@0.2.0-draft2",
    atomics: "wasi:keyvalue/atomics@0.2.0-draft2",
    batch: "wasi:keyvalue/batch@0.2.0-draft2",
  },
  tmp: { preopens: "wasi:filesystem/preopens@0.2.12" },
};

/** esbuild's plugin for `millrace:guest/host`: what a guest with these capabilities imports besides, in one object. */
export function hostImports(capabilities: readonly GuestCapability[]): Plugin {
  return {
    name: "millrace host",
    setup(build) {
      build.onResolve({ filter: /^millrace:guest\/host$/ }, ({ path }) => ({ path, namespace: "host" }));
      build.onLoad({ filter: /.*/, namespace: "host" }, () => ({ contents: hostModule(capabilities) }));
    },
  };
}

function hostModule(capabilities: readonly GuestCapability[]): string {
  const imports: string[] = [];
  const members = capabilities.map((capability) => {
    const names = Object.entries(modules[capability]).map(([name, module]) => {
      imports.push(`import ${capability}_${name} from ${JSON.stringify(module)};`);
      return `${name}: ${capability}_${name}`;
    });
    return `${capability}: { ${names.join(", ")} }`;
  });
  return [...imports, `export const host = { ${members.join(", ")} };`].join("\n");
}
