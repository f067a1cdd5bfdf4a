import { describeStep, type StepDescription } from "../../runtime/wasm/description.ts";
import type { Extent } from "../../runtime/wasm/v8/core-module.ts";
import { runtimeErrors } from "../../runtime/errors.ts";
import { bytesText } from "./build-text.ts";
import { CliError } from "./errors.ts";
import { readInputFile } from "./input-file.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** Prints what a .wasm file is, what it imports and exports, and how large it begins. Throws ERR_INPUT_FILE. */
export async function inspectFile(file: string, terminal: Terminal): Promise<void> {
  const bytes = await readInputFile(file);
  const described = describeStep(bytes);
  if ("code" in described) {
    const { code, message } = described;
    throw new CliError("ERR_INPUT_FILE", `${file} can't be a step.`, {
      next: runtimeErrors[code].next,
      problems: [{ code, message, file }],
    });
  }
  if (terminal.json) return terminal.printJson({ file, bytes: bytes.length, ...described });
  for (const line of lines(described, bytes.length, terminal)) terminal.print(line);
}

function lines(
  { kind, imports, exports, modules, memories, tables }: StepDescription,
  bytes: number,
  { out }: Terminal,
): readonly string[] {
  const dim = (text: string): string => out("dim", text);
  const grant = (granted: StepDescription["imports"][number]["granted"]): string => {
    if (granted === "always") return out("green", granted);
    return granted === "never" ? out("red", "refused") : out("yellow", `with ${granted}`);
  };
  return [
    ...table(
      [
        { heading: "KIND" },
        { heading: "SIZE" },
        { heading: "MODULES" },
        { heading: "MEMORY" },
        { heading: "TABLES" },
      ],
      [[kind, bytesText(bytes), String(modules), extents(memories, bytesText), extents(tables, String)]],
      dim,
    ),
    "",
    ...table(
      [{ heading: "IMPORT" }, { heading: "GRANTED" }, { heading: "MORE WITH" }],
      imports.map(({ name, granted, capabilities }) => [
        printable(name),
        grant(granted),
        capabilities.join(", "),
      ]),
      dim,
    ),
    "",
    ...table(
      [{ heading: "EXPORT" }],
      exports.map((name) => [printable(name)]),
      dim,
    ),
  ];
}

/** How large memories or tables begin, and may become. */
function extents(list: readonly Extent[], text: (amount: number) => string): string {
  const all = list.map(({ minimum, maximum }) =>
    maximum === undefined ? text(minimum) : `${text(minimum)} to ${text(maximum)}`,
  );
  return all.join(", ") || "none";
}
