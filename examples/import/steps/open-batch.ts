interface Input {
  event: { data: { file: string } };
}

export default ({ event }: Input) => ({ batch: `batch-of-${event.data.file}` });
