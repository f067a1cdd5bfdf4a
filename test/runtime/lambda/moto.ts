import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateFunctionCommand, LambdaClient, type CreateFunctionCommandInput } from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { freePort } from "../../free-port.ts";
import { findMoto } from "./find-moto.ts";

const folder = findMoto();
/** True where moto is missing, which the set-up says aloud. */
export const skipped = folder === undefined;

/** AWS's management of Lambda functions, as moto has it. */
export interface Moto {
  readonly endpoint: string;
  readonly client: LambdaClient;
  /** Makes a function, as its owner does before the first push. */
  createFunction(name: string, settings?: Partial<CreateFunctionCommandInput>): Promise<void>;
  close(): Promise<void>;
}

/** Starts moto on a free port of loopback. */
export async function startMoto(): Promise<Moto> {
  if (folder === undefined) throw new Error("There is no moto.");
  const port = await freePort();
  const child = spawn("python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
    env: { ...process.env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: "1" },
    stdio: "ignore",
  });
  const ended = once(child, "close");
  const endpoint = `http://127.0.0.1:${port}`;
  // Its functions are not run.
  const configure = (): Promise<boolean> =>
    fetch(`${endpoint}/moto-api/config`, { method: "POST", body: '{"lambda":{"use_docker":false}}' }).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await configure())) {
    if (child.exitCode !== null) throw new Error("moto did not start");
    await sleep(50);
  }
  await createRole(endpoint);
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  const client = new LambdaClient({ endpoint, region: "eu-central-1", credentials });
  return {
    endpoint,
    client,
    async createFunction(name, settings) {
      const code = { ZipFile: zipSync({ "index.js": new Uint8Array() }) };
      const role = `arn:aws:iam::123456789012:role/${roleName}`;
      const wanted = {
        FunctionName: name,
        Role: role,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
      } as const;
      await client.send(new CreateFunctionCommand({ ...wanted, Code: code, ...settings }));
    },
    async close() {
      client.destroy();
      child.kill("SIGKILL");
      await ended;
    },
  };
}

const roleName = "functions-role";

/** The role that functions have, which Lambda may take on. */
async function createRole(endpoint: string): Promise<void> {
  const trust = {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    ],
  };
  const body = new URLSearchParams({
    Action: "CreateRole",
    Version: "2010-05-08",
    RoleName: roleName,
    AssumeRolePolicyDocument: JSON.stringify(trust),
  });
  const authorization = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request";
  const { ok, status } = await fetch(endpoint, { method: "POST", headers: { authorization }, body });
  if (!ok) throw new Error(`moto made no role: ${status}`);
}
