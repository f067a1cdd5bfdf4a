import { describe, expect, test } from "vitest";
import type { Capabilities } from "../../../runtime/capabilities.ts";
import { inspectStep } from "../../../runtime/wasm/grants.ts";
import { component } from "./components.ts";

const importing = (names: readonly string[]): Promise<Uint8Array> =>
  component(names.map((name) => `(import "${name}" (instance))`).join("\n"));

describe("the imports of a step", () => {
  test.each<[keyof Capabilities, Capabilities, string[]]>([
    ["http", { http: [] }, ["wasi:http/types@0.2.9", "wasi:http/outgoing-handler@0.2.0"]],
    ["config", { config: {} }, ["wasi:config/store@0.2.0-draft", "wasi:config/store@0.2.0-rc.1"]],
    [
      "kv",
      { kv: true },
      [
        "wasi:keyvalue/store@0.2.0-draft2",
        "wasi:keyvalue/atomics@0.2.0-draft2",
        "wasi:keyvalue/batch@0.2.0-draft2",
      ],
    ],
  ])("are given by the capability %s", async (name, capabilities, names) => {
    const bytes = await importing(names);
    expect(inspectStep(bytes, capabilities)).toMatchObject({ kind: "component" });
    for (const less of [{}, { env: {}, seed: "1", tmp: true } as const]) {
      expect(inspectStep(bytes, less)).toMatchObject({
        code: "ERR_COMPONENT_IMPORT",
        message: `The component imports what its step was not granted: ${names
          .map((it) => `${it} (the capability \`${name}\` gives it)`)
          .join(", ")}.`,
      });
    }
  });

  test.each([
    "wasi:http/incoming-handler@0.2.9",
    "wasi:http/types@0.3.0",
    "wasi:keyvalue/watcher@0.2.0-draft2",
    "wasi:keyvalue/store@0.2.0-draft",
    "wasi:config/runtime@0.2.0-draft",
    "wasi:blobstore/blobstore@0.2.0-draft2",
  ])("are never given: %s", async (name) => {
    const all: Capabilities = { http: [], secrets: {}, config: {}, tmp: true, kv: true };
    expect(inspectStep(await importing([name]), all)).toMatchObject({
      message: `The component imports what its step was not granted: ${name}.`,
    });
  });

  test("may be the filesystem's, which has no folder without `tmp`", async () => {
    const bytes = await importing(["wasi:filesystem/types@0.2.9", "wasi:filesystem/preopens@0.2.9"]);
    expect(inspectStep(bytes)).toMatchObject({ kind: "component" });
  });
});
