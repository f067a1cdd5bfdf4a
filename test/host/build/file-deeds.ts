import type * as nodeFs from "node:fs";

/** What is done with files in an empty folder. It is text in the guest: it names nothing but its parameters. */
export type Deed = (fs: typeof nodeFs, folder: string) => unknown;

/** What holds of node:fs in a step as in Node. */
export const deeds: Readonly<Record<string, Deed>> = {
  "text and bytes": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "Grüße");
    fs.writeFileSync(`${folder}/b`, Uint8Array.of(0, 1, 255));
    fs.writeFileSync(`${folder}/c`, "4869", "hex");
    return [
      fs.readFileSync(`${folder}/a`, "utf8"),
      fs.readFileSync(`${folder}/a`, { encoding: "utf-8" }),
      fs.readFileSync(`${folder}/a`).toString(),
      [...fs.readFileSync(`${folder}/b`)],
      fs.readFileSync(`${folder}/b`),
      ["latin1", "hex", "base64", "ascii"].map((encoding) =>
        fs.readFileSync(`${folder}/b`, encoding as "hex"),
      ),
      fs.readFileSync(`${folder}/c`, "utf8"),
      fs.readFileSync(`${folder}/b`) instanceof Uint8Array,
    ];
  },
  "writing over and behind": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "a long text");
    fs.writeFileSync(`${folder}/a`, "short");
    fs.appendFileSync(`${folder}/a`, " and more");
    fs.appendFileSync(`${folder}/b`, "new");
    fs.truncateSync(`${folder}/b`, 5);
    return [fs.readFileSync(`${folder}/a`, "utf8"), [...fs.readFileSync(`${folder}/b`)]];
  },
  "a file that is not there": (fs, folder) => fs.readFileSync(`${folder}/none`),
  "a folder as a file": (fs, folder) => fs.readFileSync(folder),
  "a file as a folder": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "");
    fs.readdirSync(`${folder}/a`);
  },
  "a file below a file": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "");
    fs.writeFileSync(`${folder}/a/b`, "");
  },
  "a file that may not be there yet": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "", { flag: "wx" });
    fs.writeFileSync(`${folder}/a`, "", { flag: "wx" });
  },
  "a flag that is none": (fs, folder) => {
    try {
      fs.openSync(`${folder}/a`, "q");
    } catch (error) {
      return (error as { code: string }).code;
    }
    return "none";
  },
  "folders in folders": (fs, folder) => {
    const first = fs.mkdirSync(`${folder}/a/b/c`, { recursive: true });
    const again = fs.mkdirSync(`${folder}/a/b/c`, { recursive: true });
    fs.writeFileSync(`${folder}/a/f`, "");
    fs.writeFileSync(`${folder}/a/b/g`, "");
    return [
      first,
      again ?? null,
      fs.readdirSync(folder),
      fs.readdirSync(`${folder}/a/`),
      (fs.readdirSync(folder, { recursive: true }) as string[]).toSorted(),
      fs
        .readdirSync(`${folder}/a`, { withFileTypes: true })
        .map((entry) => [entry.name, entry.isDirectory(), entry.isFile()]),
    ];
  },
  "a folder that is there": (fs, folder) => fs.mkdirSync(folder),
  "a folder in none": (fs, folder) => fs.mkdirSync(`${folder}/a/b`),
  "names in their order": (fs, folder) => {
    for (const name of ["b", "a", "C", "10", "9", "ü"]) fs.writeFileSync(`${folder}/${name}`, "");
    return fs.readdirSync(folder);
  },
  "what is known of them": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "text");
    fs.symlinkSync("a", `${folder}/l`);
    const kinds = (path: string): unknown => {
      const stats = fs.lstatSync(`${folder}/${path}`);
      return [stats.isFile(), stats.isDirectory(), stats.isSymbolicLink(), stats.nlink];
    };
    const stats = fs.statSync(`${folder}/l`);
    return [
      kinds("a"),
      kinds("l"),
      fs.statSync(folder).isDirectory(),
      stats.size,
      stats.mtime instanceof Date,
      Math.abs(stats.mtimeMs - Date.now()) < 60_000,
      fs.statSync(`${folder}/none`, { throwIfNoEntry: false }) ?? null,
      fs.existsSync(`${folder}/a`),
      fs.existsSync(`${folder}/none`),
    ];
  },
  "what is known of nothing": (fs, folder) => fs.statSync(`${folder}/none`),
  "access to nothing": (fs, folder) => fs.accessSync(`${folder}/none`),
  "times that are set": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "");
    fs.utimesSync(`${folder}/a`, 1_000_000_000.5, new Date(1_500_000_000_250));
    const { atimeMs, mtimeMs } = fs.statSync(`${folder}/a`);
    return [atimeMs, mtimeMs];
  },
  links: (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "text");
    fs.mkdirSync(`${folder}/d`);
    fs.symlinkSync("../a", `${folder}/d/l`);
    fs.linkSync(`${folder}/a`, `${folder}/b`);
    fs.appendFileSync(`${folder}/b`, "s");
    return [
      fs.readlinkSync(`${folder}/d/l`),
      fs.readFileSync(`${folder}/d/l`, "utf8"),
      fs.statSync(`${folder}/a`).nlink,
    ];
  },
  "a link in the place of a file": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "");
    fs.symlinkSync("x", `${folder}/a`);
  },
  "what is no link": (fs, folder) => fs.readlinkSync(folder),
  "a link to itself": (fs, folder) => {
    fs.symlinkSync("l", `${folder}/l`);
    fs.readFileSync(`${folder}/l`);
  },
  "moving and copying": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "text");
    fs.renameSync(`${folder}/a`, `${folder}/b`);
    fs.copyFileSync(`${folder}/b`, `${folder}/c`);
    fs.mkdirSync(`${folder}/d`);
    fs.renameSync(`${folder}/d`, `${folder}/e`);
    return [fs.readdirSync(folder), fs.readFileSync(`${folder}/c`, "utf8")];
  },
  "moving nothing": (fs, folder) => fs.renameSync(`${folder}/a`, `${folder}/b`),
  "moving over a folder": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "");
    fs.mkdirSync(`${folder}/b`);
    fs.renameSync(`${folder}/a`, `${folder}/b`);
  },
  "copying over what may not be there": (fs, folder) => {
    fs.writeFileSync(`${folder}/a`, "");
    fs.writeFileSync(`${folder}/b`, "");
    try {
      fs.copyFileSync(`${folder}/a`, `${folder}/b`, fs.constants.COPYFILE_EXCL);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return "none";
  },
  removing: (fs, folder) => {
    fs.mkdirSync(`${folder}/a/b`, { recursive: true });
    fs.writeFileSync(`${folder}/a/b/c`, "");
    fs.writeFileSync(`${folder}/f`, "");
    fs.unlinkSync(`${folder}/f`);
    fs.rmSync(`${folder}/none`, { force: true });
    fs.rmSync(`${folder}/a`, { recursive: true });
    fs.mkdirSync(`${folder}/g`);
    fs.rmdirSync(`${folder}/g`);
    return fs.readdirSync(folder);
  },
  "removing nothing": (fs, folder) => fs.unlinkSync(`${folder}/none`),
  "removing a folder that holds something": (fs, folder) => {
    fs.mkdirSync(`${folder}/a/b`, { recursive: true });
    fs.rmdirSync(`${folder}/a`);
  },
  "removing a folder as if it were a file": (fs, folder) => {
    fs.mkdirSync(`${folder}/a`);
    try {
      fs.rmSync(`${folder}/a`);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return "none";
  },
  descriptors: (fs, folder) => {
    const fd = fs.openSync(`${folder}/a`, "w+");
    const written = [
      fs.writeSync(fd, "hello"),
      fs.writeSync(fd, Uint8Array.of(32, 33, 34, 35), 1, 2),
      fs.writeSync(fd, "J", 0),
    ];
    const buffer = new Uint8Array(10);
    const read = [fs.readSync(fd, buffer, 0, 3, 1), fs.readSync(fd, buffer, 5, 2, 0)];
    fs.ftruncateSync(fd, 6);
    const { size } = fs.fstatSync(fd);
    fs.closeSync(fd);
    const again = fs.openSync(`${folder}/a`, "r");
    const all = new Uint8Array(20);
    const lengths = [fs.readSync(again, all), fs.readSync(again, all)];
    fs.closeSync(again);
    return [written, read, [...buffer], size, lengths, [...all]];
  },
  "a descriptor that was closed": (fs, folder) => {
    const fd = fs.openSync(`${folder}/a`, "w");
    fs.closeSync(fd);
    fs.writeSync(fd, "a");
  },
  "a temporary folder": (fs, folder) => {
    const made = fs.mkdtempSync(`${folder}/x-`);
    return [made.length - folder.length, fs.statSync(made).isDirectory()];
  },
  promises: async (fs, folder) => {
    const { mkdir, readdir, readFile, rm, stat, writeFile } = fs.promises;
    await mkdir(`${folder}/a`);
    await Promise.all(["x", "y"].map((name) => writeFile(`${folder}/a/${name}`, name)));
    const names = await readdir(`${folder}/a`);
    const texts = await Promise.all(names.map((name) => readFile(`${folder}/a/${name}`, "utf8")));
    const { size } = await stat(`${folder}/a/x`);
    await rm(`${folder}/a`, { recursive: true });
    return [
      names,
      texts,
      size,
      await readFile(`${folder}/a/x`).catch((error: { code: string }) => error.code),
    ];
  },
  callbacks: (fs, folder) =>
    new Promise((resolve) => {
      fs.writeFile(`${folder}/a`, "text", () => {
        fs.readFile(`${folder}/a`, "utf8", (failure, text) => {
          fs.readFile(`${folder}/none`, (error) => resolve([failure, text, error?.code]));
        });
      });
    }),
  "an address of a file": (fs, folder) => {
    fs.writeFileSync(new URL(`file://${folder}/a%20b`), "text");
    return fs.readdirSync(folder);
  },
  "a path that is none": (fs) => {
    try {
      fs.readFileSync({} as nodeFs.PathLike);
    } catch (error) {
      return [(error as Error).name, (error as { code: string }).code];
    }
    return "none";
  },
  "a path with a zero": (fs, folder) => {
    try {
      fs.readFileSync(`${folder}/a\0b`);
    } catch (error) {
      return [(error as Error).name, (error as { code: string }).code];
    }
    return "none";
  },
  "what is no data": (fs, folder) => {
    try {
      fs.writeFileSync(`${folder}/a`, 1 as never);
    } catch (error) {
      return [(error as Error).name, (error as { code: string }).code];
    }
    return "none";
  },
  outside: (fs) => fs.readFileSync("/nowhere/at/all"),
  "a megabyte": (fs, folder) => {
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);
    fs.writeFileSync(`${folder}/a`, bytes);
    const read = fs.readFileSync(`${folder}/a`);
    return [read.length, read[2_999_999], read.every((byte, index) => byte === index % 251)];
  },
};
