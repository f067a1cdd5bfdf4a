#!/usr/bin/env node
// Nothing may be imported here: an older Node would die on it before it could say what is wrong.
const oldest = 24;
const [major = 0] = process.versions.node.split(".").map(Number);

if (major < oldest) {
  process.stderr.write(
    `millrace: ERR_NODE_VERSION: this is Node ${process.versions.node}, and Millrace needs Node ${oldest} or newer.\n` +
      "  next: Install a newer Node from https://nodejs.org, or put one beside your project: npm i -D node@26\n",
  );
  process.exitCode = 2;
} else {
  // Most of a start is reading code: Node keeps it compiled in the system's folder for temporary files.
  process.getBuiltinModule("node:module").enableCompileCache();
  void import("./program.ts").then(({ main }) => main(process.argv.slice(2)));
}
