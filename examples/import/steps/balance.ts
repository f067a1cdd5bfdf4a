type Imported = { ok: true; output: { amount: number } } | { ok: false; message: string };

interface Input {
  event: { data: { total: number } };
  steps: { "import-row": readonly Imported[] };
}

/** Fails for good when the sum is another one: then all that was imported is taken back. */
export default ({ event, steps }: Input) => {
  const sum = steps["import-row"].reduce((all, row) => all + (row.ok ? row.output.amount : 0), 0);
  if (sum !== event.data.total) {
    throw Object.assign(new Error(`${sum} were imported, and ${event.data.total} announced`), {
      fatal: true,
    });
  }
  return { sum };
};
