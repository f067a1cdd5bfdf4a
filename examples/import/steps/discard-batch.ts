interface Input {
  output: { batch: string };
}

export default ({ output }: Input) => `${output.batch} discarded`;
