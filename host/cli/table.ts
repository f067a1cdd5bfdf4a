import { stripVTControlCharacters } from "node:util";

/** One column: its heading, and whether it stands at the right. */
export interface Column {
  readonly heading: string;
  readonly align?: "right";
}

/** Aligned lines, the headings on top; cells may be coloured. The last column is not padded. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  heading: (text: string) => string,
): string[] {
  const widths = columns.map((column, index) =>
    Math.max(width(column.heading), ...rows.map((row) => width(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => {
        const padding = " ".repeat(Math.max((widths[index] ?? 0) - width(cell), 0));
        return columns[index]?.align === "right" ? padding + cell : cell + padding;
      })
      .join("  ")
      .trimEnd();
  return [heading(line(columns.map((column) => column.heading))), ...rows.map(line)];
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
