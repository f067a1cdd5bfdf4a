import { afterEach } from "vitest";
import { httpGrant, type HttpGrantDocument } from "../../../host/function/capabilities.ts";
import {
  createEgress,
  type Egress,
  type EgressOptions,
  type EgressOutcome,
  type EgressRequest,
} from "../../../runtime/egress/egress.ts";
import { listen, type Listening } from "./servers.ts";

const open: Egress[] = [];
afterEach(async () => {
  for (const egress of open.splice(0)) await egress.close();
});

/** An egress that ends with the test. */
export function egressTo(grants: readonly HttpGrantDocument[], options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ grants: grants.map(httpGrant), bodyBytes: 100_000, ...options });
  open.push(egress);
  return egress;
}

const never = new AbortController().signal;

/** A GET of / by HTTP without encryption. */
export const get = (authority: string, more: Partial<EgressRequest> = {}): EgressRequest => ({
  method: "GET",
  scheme: "http",
  authority,
  path: "/",
  headers: [],
  ...more,
});

export const send = (egress: Egress, request: EgressRequest, signal = never): Promise<EgressOutcome> =>
  egress.send(request, signal);

/** The status, the code of a refusal, or which body was too large. */
export const codeOf = (outcome: EgressOutcome): string =>
  outcome.ok ? `${outcome.response.status}` : "refusal" in outcome ? outcome.refusal.code : outcome.tooLarge;

/** A grant for a server of the test. */
export const local = (port: number, host = "127.0.0.1") => ({
  host: `http://${host}:${port}`,
  private: true,
});

export const hello = (): Promise<Listening> => listen((_, response) => response.end("hello"));
