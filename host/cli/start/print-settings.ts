import { printable } from "../printable.ts";
import { shownValue, type Settings } from "../settings/resolve.ts";
import { table } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** Prints the settings in force and where each came from; secrets are not shown. */
export function printSettings({ all }: Settings, terminal: Terminal): void {
  const shown = all.map((one) => ({ name: one.setting.name, value: shownValue(one), from: one.from }));
  if (terminal.json) return terminal.printJson({ settings: shown });
  const columns = ["SETTING", "VALUE", "FROM"].map((heading) => ({ heading }));
  const rows = all.map((one, index) => {
    const value = shown[index]?.value ?? "-";
    const unit = typeof value !== "number" ? "" : one.setting.kind === "duration" ? " ms" : "";
    return [one.setting.name, printable(`${[value].flat().join(",")}${unit}`), printable(one.from)];
  });
  for (const line of table(columns, rows, (text) => terminal.out("dim", text))) terminal.print(line);
}
