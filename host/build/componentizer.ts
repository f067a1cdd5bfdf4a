// One componentization in a process of its own: it evaluates the step's code, which may never end, and only a
// process can be ended from outside. Told by argv: a JSON request. Tells by stdout: a JSON answer.
import { readFile, writeFile } from "node:fs/promises";

/** What to make a component of. Paths are absolute. */
export interface ComponentizeRequest {
  /** The bundle. */
  readonly source: string;
  /** Folder of the worlds' texts. */
  readonly wit: string;
  readonly world: string;
  /** Where to write the component. */
  readonly target: string;
}

/** What became of it. */
export type ComponentizeAnswer = { readonly ok: true } | { readonly ok: false; readonly message: string };

async function componentizeOne({
  source,
  wit,
  world,
  target,
}: ComponentizeRequest): Promise<ComponentizeAnswer> {
  try {
    const { componentize } = await import("componentize-qjs");
    const jsSource = await readFile(source, "utf8");
    const { component } = await componentize({ witPath: wit, world, jsSource, sync: true });
    await writeFile(target, component);
    return { ok: true };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

const [, , request] = process.argv;
const answer = await componentizeOne(JSON.parse(request ?? "{}") as ComponentizeRequest);
process.stdout.write(JSON.stringify(answer));
