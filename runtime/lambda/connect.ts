import type * as sdk from "@aws-sdk/client-lambda";
import type { ConnectLambda, Invocation, LambdaApi, LambdaPlace } from "./api.ts";
import { emulated } from "./emulator.ts";

type Sdk = typeof sdk;
/** Loads AWS's SDK. */
export type Load = () => Promise<Sdk>;

/** Milliseconds for a connection to be made. */
const connectionTimeout = 10_000;

/** Thrown where the SDK's package is not installed. */
export class PackageMissing extends Error {
  override readonly name = "PackageMissing";
}

/** AWS's SDK, and a client of Lambda. */
interface OpenedSdk {
  readonly sdk: Sdk;
  readonly client: sdk.LambdaClient;
}

/** How a client is made. */
interface ClientOptions {
  /** Connections at once. */
  readonly sockets: number;
  /** Requests that are made of one until it succeeds. */
  readonly maxAttempts: number;
}

/** Opens Lambda's API through AWS's SDK, which is loaded the first time. One request an invocation: the run's own policy says when it is tried again. */
export function createConnect(load?: Load): ConnectLambda {
  return async (place, sockets) => {
    const { sdk, client } = await openSdk(place, { sockets, maxAttempts: 1 }, load);
    const api: LambdaApi = {
      async invoke(invocation, signal) {
        const command = new sdk.InvokeCommand({
          ...target(invocation),
          InvocationType: "RequestResponse",
          LogType: "Tail",
          Payload: invocation.payload,
        });
        return answer(await client.send(command, { abortSignal: signal }));
      },
      async check(function_, signal) {
        const command = new sdk.InvokeCommand({ ...target(function_), InvocationType: "DryRun" });
        await client.send(command, { abortSignal: signal });
      },
      close: () => client.destroy(),
    };
    return isEmulator(place) ? emulated(api) : api;
  };
}

/** Loads AWS's SDK and makes a client. Throws PackageMissing. */
export async function openSdk(
  place: LambdaPlace,
  options: ClientOptions,
  load: Load = () => import("@aws-sdk/client-lambda"),
): Promise<OpenedSdk> {
  const loaded = await load().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND" && error.code !== "MODULE_NOT_FOUND") throw error;
    throw new PackageMissing("the package @aws-sdk/client-lambda is not installed", { cause: error });
  });
  return { sdk: loaded, client: createClient(loaded, place, options) };
}

function createClient(
  { LambdaClient }: Sdk,
  place: LambdaPlace,
  { sockets, maxAttempts }: ClientOptions,
): sdk.LambdaClient {
  const agent = { keepAlive: true, maxSockets: sockets };
  const common = {
    ...place,
    maxAttempts,
    customUserAgent: "millrace",
    requestHandler: { connectionTimeout, httpAgent: agent, httpsAgent: agent },
  };
  if (!isEmulator(place)) return new LambdaClient(common);
  const { config } = new LambdaClient(common);
  return new LambdaClient({
    ...common,
    // An emulator has no regions.
    region: () => config.region().catch(() => "us-east-1"),
    // Nor does it look at the signature.
    credentials: (options) =>
      config.credentials(options).catch(() => ({ accessKeyId: "none", secretAccessKey: "none" })),
  });
}

/** The address of Lambda's API where it is not AWS's own: the step's, or the environment's. */
export function customEndpoint({ endpoint }: LambdaPlace): string | undefined {
  const { AWS_ENDPOINT_URL_LAMBDA: own, AWS_ENDPOINT_URL: all } = process.env;
  return [endpoint, own, all].find((url) => url !== undefined && url !== "");
}

/** Whether the address may be AWS's emulator's: AWS itself does not speak plain HTTP. */
export function isEmulator(place: LambdaPlace): boolean {
  return customEndpoint(place)?.startsWith("http:") === true;
}

function target({ function: name, qualifier }: Omit<Invocation, "payload">) {
  return { FunctionName: name, ...(qualifier === undefined ? {} : { Qualifier: qualifier }) };
}

function answer({ Payload, FunctionError, LogResult, ExecutedVersion, $metadata }: sdk.InvokeCommandOutput) {
  return {
    payload: Payload ?? new Uint8Array(),
    ...(FunctionError === undefined ? {} : { functionError: FunctionError }),
    ...(LogResult === undefined ? {} : { logResult: LogResult }),
    ...(ExecutedVersion === undefined ? {} : { executedVersion: ExecutedVersion }),
    ...($metadata.requestId === undefined ? {} : { requestId: $metadata.requestId }),
  };
}
