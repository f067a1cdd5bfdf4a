import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  GetFunctionConfigurationCommand,
  ListVersionsByFunctionCommand,
  type FunctionConfiguration,
} from "@aws-sdk/client-lambda";
import { unzipSync } from "fflate";
import { skipped as noEmulator, startEmulator, type Emulator } from "./emulator.ts";
import { skipped as noMoto, startMoto, type Moto } from "./moto.ts";

/** True where the emulator or moto is missing, which the set-up says aloud. */
export const skipped = noEmulator || noMoto;

/**
 * Lambda as a whole: moto keeps the functions, their versions and aliases; what is pushed is run by AWS's emulators, one
 * for each invocation at once, as AWS itself has it; and errors and the log's end are in the headers.
 */
export interface Cloud {
  readonly endpoint: string;
  readonly moto: Moto;
  close(): Promise<void>;
}

/** Starts it on free ports of loopback. */
export async function startCloud(): Promise<Cloud> {
  const moto = await startMoto();
  const folder = await mkdtemp(join(tmpdir(), "millrace-cloud-"));
  const codes = new Map<string, Code>();

  const handle = async (request: IncomingMessage): Promise<Answer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? "/", moto.endpoint);
    const [, name = "", what = ""] = /^\/2015-03-31\/functions\/([^/]+)\/(\w+)$/.exec(url.pathname) ?? [];
    const key = `${request.method} ${what}`;
    const forward = (): Promise<Answer> => passOn(url, request, body);
    if (key === "PUT code") {
      const { ZipFile } = JSON.parse(body.toString()) as { ZipFile: string };
      const zip = Buffer.from(ZipFile, "base64");
      const digest = createHash("sha256").update(zip).digest("base64");
      if (!codes.has(digest)) codes.set(digest, await codeOf(zip, join(folder, String(codes.size))));
    }
    if (key === "POST versions") return (await samePublished(moto, decodeURIComponent(name))) ?? forward();
    if (key !== "POST invocations") return forward();
    const found = await moto.client
      .send(
        new GetFunctionConfigurationCommand({
          FunctionName: decodeURIComponent(name),
          Qualifier: url.searchParams.get("Qualifier") ?? "$LATEST",
        }),
      )
      .catch(() => undefined);
    const code = codes.get(found?.CodeSha256 ?? "");
    // Moto tells of what is not there.
    return found === undefined || code === undefined ? forward() : code.invoke(found, body);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, headers, body } = await handle(request);
    response.writeHead(status, headers).end(body);
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    moto,
    async close() {
      server.closeAllConnections();
      server.close();
      await Promise.all([...codes.values()].map((code) => code.close()));
      await moto.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Code that was pushed, and the emulators that run it. */
interface Code {
  invoke(version: FunctionConfiguration, payload: Buffer): Promise<Answer>;
  close(): Promise<void>;
}

async function codeOf(zip: Buffer, folder: string): Promise<Code> {
  for (const [name, bytes] of Object.entries(unzipSync(zip))) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  const idle: Emulator[] = [];
  const all = new Set<Emulator>();
  let requests = 0;
  const start = async (): Promise<Emulator> => {
    const emulator = await startEmulator({ handler: join(folder, "index.mjs") });
    all.add(emulator);
    return emulator;
  };
  return {
    async invoke(version, payload) {
      const emulator = idle.pop() ?? (await start());
      const before = emulator.printed().length;
      const answer = await fetch(`${emulator.endpoint}/2015-03-31/functions/function/invocations`, {
        method: "POST",
        body: payload,
      });
      const body = Buffer.from(await answer.arrayBuffer());
      idle.push(emulator);
      const log = Buffer.from(
        emulator
          .printed()
          .slice(before)
          .replaceAll(/^.*\(rapid\).*\n/gm, ""),
      );
      const isError = body.subarray(0, 13).toString() === '{"errorType":';
      const headers = {
        "x-amzn-requestid": `cloud-${++requests}`,
        "x-amz-executed-version": version.Version ?? "",
        "x-amz-log-result": log.subarray(-4_096).toString("base64"),
        ...(isError ? { "x-amz-function-error": "Unhandled" } : {}),
      };
      return { status: 200, headers, body };
    },
    async close() {
      await Promise.all([...all].map((emulator) => emulator.close()));
    },
  };
}

/** AWS publishes no second version of the same; moto would. */
async function samePublished({ client }: Moto, name: string): Promise<Answer | undefined> {
  const command = new ListVersionsByFunctionCommand({ FunctionName: name });
  const { Versions: versions = [] } = await client.send(command);
  const latest = versions.find(({ Version }) => Version === "$LATEST");
  const last = versions.at(-1);
  if (last === latest || last?.CodeSha256 !== latest?.CodeSha256) return undefined;
  const body = Buffer.from(JSON.stringify(last));
  return { status: 201, headers: { "x-amzn-requestid": "cloud" }, body };
}

async function passOn(url: URL, { method = "GET", headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const { authorization = "", "content-type": type = "application/json" } = headers;
  const answer = await fetch(url, {
    method,
    headers: { authorization, "content-type": type },
    ...(body.length === 0 ? {} : { body }),
  });
  const kept = ["content-type", "x-amzn-requestid", "x-amzn-errortype"].flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, headers: Object.fromEntries(kept), body: bytes };
}
