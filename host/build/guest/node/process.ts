// What `import … from "node:process"` gives.
const current = globalThis.process;

export const { env, exit, cwd, nextTick, stdin, stdout, stderr, platform, hrtime, uptime, emitWarning } =
  current;
export const argv = current.argv;

// oxlint-disable-next-line import/no-default-export -- as Node's module has one
export default current;
