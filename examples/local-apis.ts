import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Project, ProjectFunction } from "../host/build/project.ts";
import type { FunctionDocument } from "../host/function/document.ts";

/** What an example's api.ts has. */
interface LocalApi {
  readonly port: number;
  readonly secrets: Readonly<Record<string, string>>;
  serve(port: number): Promise<{ readonly port: number; close(): Promise<void> }>;
}

/** Examples with the APIs that they call, which listen on this machine. */
export interface Served {
  /** With the ports on which the APIs listen in place of those that the documents name. */
  readonly project: Project;
  readonly secrets: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Starts the API of each example that has one, on any free port. */
export async function serveApis(project: Project): Promise<Served> {
  const closing: (() => Promise<void>)[] = [];
  const secrets = new Map<string, string>();
  const functions: ProjectFunction[] = [];
  for (const one of project.functions) {
    const file = join(dirname(one.file), "api.ts");
    if (!existsSync(file)) {
      functions.push(one);
      continue;
    }
    const api = (await import(pathToFileURL(file).href)) as LocalApi;
    const listening = await api.serve(0);
    closing.push(listening.close);
    for (const [name, value] of Object.entries(api.secrets)) secrets.set(name, value);
    const text = JSON.stringify(one.document).replaceAll(`:${api.port}`, `:${listening.port}`);
    functions.push({ ...one, document: JSON.parse(text) as FunctionDocument });
  }
  return {
    project: { ...project, functions },
    secrets,
    close: async () => void (await Promise.all(closing.map((close) => close()))),
  };
}
