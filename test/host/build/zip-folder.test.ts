import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { zipFolder } from "../../../host/build/zip-folder.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-zip-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

describe("the archive of a folder", () => {
  test("has its files, at any depth, and not what no function needs", async () => {
    await write({
      "index.mjs": "code",
      "lib/a/b.js": "more",
      ".git/HEAD": "x",
      ".DS_Store": "x",
      "ä.txt": "ü",
    });
    const files = unzipSync(await zipFolder(folder));
    const texts = Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]);
    expect(texts).toEqual([
      ["index.mjs", "code"],
      ["lib/a/b.js", "more"],
      ["ä.txt", "ü"],
    ]);
  });

  test("is the same for the same files, whenever and in whatever order they were written", async () => {
    await write({ "b.js": "b", "a.js": "a" });
    const before = await zipFolder(folder);
    await rm(join(folder, "a.js"));
    await write({ "a.js": "a" });
    await utimes(join(folder, "b.js"), 1_000_000_000, 1_000_000_000);
    await chmod(join(folder, "b.js"), 0o600);
    expect(Buffer.from(await zipFolder(folder)).equals(before)).toBe(true);
    await write({ "a.js": "A" });
    expect(Buffer.from(await zipFolder(folder)).equals(before)).toBe(false);
  });

  test("is the same in every time zone", async () => {
    await write({ "a.js": "a" });
    const digests = ["UTC", "Asia/Tokyo", "America/Los_Angeles"].map((zone) => {
      const file = new URL("../../../host/build/zip-folder.ts", import.meta.url).href;
      const script = `const { zipFolder } = await import(${JSON.stringify(file)}); process.stdout.write(Buffer.from(await zipFolder(${JSON.stringify(folder)})).toString("hex"));`;
      const args = ["--input-type=module", "--eval", script];
      return spawnSync(process.execPath, args, { env: { ...process.env, TZ: zone }, encoding: "utf8" })
        .stdout;
    });
    expect(digests[0]).toMatch(/^504b0304/);
    expect(new Set(digests).size).toBe(1);
  });

  test("lets anybody read the files, run the programs, and has links as links", async () => {
    await write({ "private.js": "x", bootstrap: "#!/bin/sh", "node_modules/a/cli.js": "x" });
    await chmod(join(folder, "private.js"), 0o600);
    await chmod(join(folder, "bootstrap"), 0o700);
    await mkdir(join(folder, "node_modules/.bin"));
    await symlink("../a/cli.js", join(folder, "node_modules/.bin/a"));
    expect(modes(await zipFolder(folder))).toEqual({
      bootstrap: "-rwxr-xr-x",
      "node_modules/.bin/a": "lrwxrwxrwx",
      "node_modules/a/cli.js": "-rw-r--r--",
      "private.js": "-rw-r--r--",
    });
  });

  test.each(["/etc/passwd", "../secret", "inner/../../secret"])(
    "has no link out of the folder: %s",
    async (target) => {
      await write({ "index.js": "x" });
      await symlink(target, join(folder, "link"));
      await expect(zipFolder(folder)).rejects.toThrow(`link is a link to ${target}`);
    },
  );

  test("is refused where there is nothing in it, or more than Lambda takes", async () => {
    await expect(zipFolder(folder)).rejects.toThrow("it has no files");
    await write({ "large.bin": "" });
    await truncate(join(folder, "large.bin"), 251 * 1024 * 1024);
    await expect(zipFolder(folder)).rejects.toThrow("250 MiB");
    await expect(zipFolder(join(folder, "nowhere"))).rejects.toThrow("can't be read");
  });
});

/** The modes of an archive's files, by its central directory. */
function modes(archive: Uint8Array): Readonly<Record<string, string>> {
  const bytes = Buffer.from(archive);
  const found: Record<string, string> = {};
  for (let at = bytes.indexOf("PK\u0001\u0002"); at !== -1; at = bytes.indexOf("PK\u0001\u0002", at + 1)) {
    const length = bytes.readUInt16LE(at + 28);
    const mode = bytes.readUInt32LE(at + 38) >>> 16;
    const kind = { 0o100000: "-", 0o120000: "l" }[mode & 0o170000] ?? "?";
    const bits = "rwxrwxrwx".split("").map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : "-"));
    found[bytes.toString("utf8", at + 46, at + 46 + length)] = kind + bits.join("");
  }
  return found;
}
