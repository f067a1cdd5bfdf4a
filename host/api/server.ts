import { randomUUID } from "node:crypto";
import { lookup } from "node:dns/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { FastifyInstance } from "fastify";
import { MillraceError } from "../errors.ts";
import type { Host } from "../host.ts";
import { addArtifactRoutes } from "./artifacts.ts";
import { answerMalformed } from "./client-error.ts";
import { addCompletionRoutes } from "./completions.ts";
import { addDeadLetterRoutes } from "./dead-letters.ts";
import { addDeploymentRoutes } from "./deployments.ts";
import { addEventRoutes } from "./events.ts";
import { answerFailure } from "./failure.ts";
import { addFunctionRoutes } from "./functions.ts";
import { bearerGuard, hostnameGuard, isLoopback } from "./guards.ts";
import { addHealthRoutes } from "./health.ts";
import { addIngestRoute } from "./ingest.ts";
import { addLinkRoutes } from "./links.ts";
import { createLiveHub, type LiveHub } from "./live-hub.ts";
import { addLiveRoute } from "./live.ts";
import { addNotFound } from "./not-found.ts";
import { createOnePort, type OnePort } from "./one-port.ts";
import { addOpenapiRoute, collectRoutes } from "./openapi.ts";
import { apiSettings, type ApiOptions, type ApiSettings } from "./options.ts";
import { addRunCommandRoutes } from "./run-commands.ts";
import { addRunRoutes } from "./runs.ts";
import { addStatusRoute } from "./status.ts";

/** The HTTP API of one host. */
export interface Api {
  /**
   * Begins to serve; port 0 takes a free one. Throws ERR_API_LISTEN, and ERR_API_OPEN where others than this machine
   * could read without a key.
   */
  listen(address?: {
    readonly port?: number;
    readonly hostname?: string;
  }): Promise<{ url: string; port: number }>;
  /** The OpenAPI document. */
  openapi(): object;
  /** Ends the live streams, lets requests under way end, and closes every connection. Idempotent. */
  close(): Promise<void>;
}

/** Builds the API of a host. Throws ERR_API_OPTIONS. */
export async function createApi(host: Host, options: ApiOptions): Promise<Api> {
  const settings = apiSettings(options);
  // A stream must not look idle, however rarely its signs of life are wished for.
  const heartbeatMs = Math.min(settings.heartbeatMs, settings.timeouts.idleMs / 3);
  const hub = createLiveHub(host.live, { backlog: settings.liveBacklog, heartbeatMs });
  const { app, port } = await createApp(settings);
  /** Set when listening begins, since what needs guarding depends on the address. */
  let guardHostname: ReturnType<typeof hostnameGuard> | undefined;
  let closing: Promise<void> | undefined;

  app.addHook("onRequest", (request, reply, done) => {
    reply.raw.setHeader("x-content-type-options", "nosniff");
    reply.raw.setHeader("x-request-id", request.id);
    if (guardHostname === undefined) done();
    else guardHostname.call(app, request, reply, done);
  });
  addNotFound(app);
  await collectRoutes(app, Array.isArray(settings.apiKeys));
  await addRoutes(app, { host, settings, hub, isClosing: () => closing !== undefined });
  await app.ready();

  const close = async (): Promise<void> => {
    hub.close();
    await port.close(settings.graceMs);
    await app.close();
  };
  return {
    async listen({ port: wanted = 0, hostname = "127.0.0.1" } = {}) {
      const address = await addressOf(hostname);
      if (settings.apiKeys === undefined) {
        if (!isLoopback(address)) throw open(hostname);
        guardHostname = hostnameGuard(settings.hostnames);
      }
      const bound = await bind(port.server, wanted, address);
      return { url: urlOf(bound, settings.tls !== undefined), port: bound.port };
    },
    openapi: () => app.swagger(),
    close: () => (closing ??= close()),
  };
}

async function createApp(settings: ApiSettings): Promise<{ app: FastifyInstance; port: OnePort }> {
  const { fastify } = await import("fastify");
  let onePort: OnePort | undefined;
  const prefix = randomUUID().slice(0, 8);
  let requests = 0;
  const app = fastify({
    serverFactory(handler): Server {
      onePort = createOnePort(handler, { tls: settings.tls, timeouts: settings.timeouts });
      return onePort.server;
    },
    clientErrorHandler: answerMalformed,
    // Ids of events may be long, and come percent-encoded.
    routerOptions: { maxParamLength: 4_096 },
    genReqId: () => `${prefix}-${(requests += 1).toString(36)}`,
    frameworkErrors: (error, request, reply) => answerFailure(error, request, reply, settings.log),
  }) as unknown as FastifyInstance;
  app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, settings.log));
  // The host's own ajv, which is loaded anyway. A test checks the schemas: doing so at each start is most of the start.
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    coerceTypes: "array",
    useDefaults: true,
    validateSchema: false,
  });
  app.setValidatorCompiler(({ schema }) => ajv.compile(schema as object));
  // The schemas document the answers; tests hold the two together. Nothing is filtered or bent on its way out.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  // The routes that take bodies read them themselves, once they know that they want them: see readBody.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  if (onePort === undefined) throw new TypeError("fastify did not ask for its server");
  return { app, port: onePort };
}

async function addRoutes(
  app: FastifyInstance,
  parts: { host: Host; settings: ApiSettings; hub: LiveHub; isClosing: () => boolean },
): Promise<void> {
  const { host, settings, hub, isClosing } = parts;
  addIngestRoute(app, host, settings);
  addCompletionRoutes(app, host, settings);
  addLinkRoutes(app, host);
  addHealthRoutes(app, host, isClosing);
  addOpenapiRoute(app);
  await app.register(async (reading) => {
    if (Array.isArray(settings.apiKeys)) reading.addHook("onRequest", bearerGuard(settings.apiKeys));
    reading.addHook("onRequest", (_request, reply, done) => {
      reply.raw.setHeader("cache-control", "no-store");
      done();
    });
    addRunRoutes(reading, host);
    addRunCommandRoutes(reading, host, settings);
    addEventRoutes(reading, host);
    addFunctionRoutes(reading, host);
    addDeploymentRoutes(reading, host, settings);
    addArtifactRoutes(reading, host, settings);
    addDeadLetterRoutes(reading, host);
    addStatusRoute(reading, host);
    addLiveRoute(reading, host, { hub, liveClients: settings.liveClients });
  });
}

async function addressOf(hostname: string): Promise<string> {
  try {
    return (await lookup(hostname.replace(/^\[(.*)\]$/, "$1"))).address;
  } catch (cause) {
    throw new MillraceError("ERR_API_LISTEN", `The host name ${hostname} has no address.`, { cause });
  }
}

function bind(server: Server, port: number, host: string): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>();
  const onError = (cause: NodeJS.ErrnoException): void => {
    const why = cause.code === "EADDRINUSE" ? "something else listens there" : cause.message;
    reject(new MillraceError("ERR_API_LISTEN", `Can't listen on ${host}, port ${port}: ${why}.`, { cause }));
  };
  server.once("error", onError);
  server.listen({ port, host }, () => {
    server.off("error", onError);
    resolve(server.address() as AddressInfo);
  });
  return promise;
}

/** A URL that works on this machine: an address that stands for all is called through loopback. */
function urlOf({ address, port }: AddressInfo, tls: boolean): string {
  const all = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `${tls ? "https" : "http"}://${all.includes(":") ? `[${all}]` : all}:${port}`;
}

function open(hostname: string): MillraceError {
  return new MillraceError(
    "ERR_API_OPEN",
    `The API has no keys, and on ${hostname} not only this machine could read its runs.`,
  );
}
