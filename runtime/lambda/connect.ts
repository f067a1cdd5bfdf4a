import type * as sdk from "@aws-sdk/client-lambda";
import type { ConnectLambda, Invocation, LambdaApi, LambdaPlace } from "./api.ts";
import { emulated } from "./emulator.ts";

type Sdk = typeof sdk;
type Load = () => Promise<Sdk>;

/** Milliseconds for a connection to be made. */
const connectionTimeout = 10_000;

/** Thrown where the SDK's package is not installed. */
export class PackageMissing extends Error {
  override readonly name = "PackageMissing";
}

/** Opens Lambda's API through AWS's SDK, which is loaded the first time. */
export function createConnect(load: Load = () => import("@aws-sdk/client-lambda")): ConnectLambda {
  return async (place, sockets) => {
    const loadedSdk = await loaded(load);
    const { InvokeCommand } = loadedSdk;
    const client = createClient(loadedSdk, place, sockets);
    const api: LambdaApi = {
      async invoke(invocation, signal) {
        const command = new InvokeCommand({
          ...target(invocation),
          InvocationType: "RequestResponse",
          LogType: "Tail",
          Payload: invocation.payload,
        });
        return answer(await client.send(command, { abortSignal: signal }));
      },
      async check(function_, signal) {
        const command = new InvokeCommand({ ...target(function_), InvocationType: "DryRun" });
        await client.send(command, { abortSignal: signal });
      },
      close: () => client.destroy(),
    };
    return isEmulator(place) ? emulated(api) : api;
  };
}

async function loaded(load: Load): Promise<Sdk> {
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw error;
    throw new PackageMissing("the package @aws-sdk/client-lambda is not installed", { cause: error });
  }
}

/** One request an invocation: the run's own policy says when it is tried again. */
function createClient({ LambdaClient }: Sdk, place: LambdaPlace, sockets: number): sdk.LambdaClient {
  const agent = { keepAlive: true, maxSockets: sockets };
  const common = {
    ...place,
    maxAttempts: 1,
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

/** AWS itself does not speak plain HTTP. */
function isEmulator(place: LambdaPlace): boolean {
  return customEndpoint(place)?.startsWith("http:") === true;
}

function target({ function: name, qualifier }: Omit<Invocation, "payload">) {
  return { FunctionName: name, ...(qualifier === undefined ? {} : { Qualifier: qualifier }) };
}

function answer({ Payload, FunctionError, LogResult, $metadata }: sdk.InvokeCommandOutput) {
  return {
    payload: Payload ?? new Uint8Array(),
    ...(FunctionError === undefined ? {} : { functionError: FunctionError }),
    ...(LogResult === undefined ? {} : { logResult: LogResult }),
    ...($metadata.requestId === undefined ? {} : { requestId: $metadata.requestId }),
  };
}
