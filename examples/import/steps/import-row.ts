interface Input {
  item: { row: { account: string; amount: number }; batch: string };
  index: number;
  ctx: { idempotencyKey: string };
}

/** Runs once a row. A row that is wrong stays so: another attempt is of no use. */
export default ({ item, index, ctx }: Input) => {
  const { row, batch } = item;
  if (row.account === "") throw Object.assign(new Error(`row ${index} has no account`), { fatal: true });
  console.info(`would write ${row.account} ${row.amount} under ${ctx.idempotencyKey}`);
  return { entry: `${batch}/${index}`, amount: row.amount };
};
