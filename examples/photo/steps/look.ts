interface Input {
  event: { data: { file: string; width: number; height: number } };
}

/** Runs as WebAssembly: what it finds out of the photo, the steps on the other runtimes work with. */
export default ({ event: { data } }: Input) => {
  const [name, format] = data.file.split(".");
  return { name, format, ratio: data.width / data.height };
};
