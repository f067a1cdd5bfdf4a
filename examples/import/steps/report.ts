type Imported = { ok: true } | { ok: false; message: string };

interface Input {
  steps: { "import-row": readonly Imported[]; balance: { sum: number } };
}

export default ({ steps }: Input) => {
  const rows = steps["import-row"];
  return {
    sum: steps.balance.sum,
    imported: rows.filter(({ ok }) => ok).length,
    wrong: rows.flatMap((row) => (row.ok ? [] : [row.message])),
  };
};
