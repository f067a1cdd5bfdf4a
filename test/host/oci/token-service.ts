import { execFileSync } from "node:child_process";
import { createSign, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import type { RegistryAuth } from "../../registry.ts";

/** A service that gives tokens for a registry to whoever knows the password, or has its refresh token. */
export interface TokenService {
  readonly auth: Extract<RegistryAuth, { readonly realm: string }>;
  readonly refreshToken: string;
  close(): void;
}

const service = "registry.tests";
const issuer = "tests";

/** Starts one on loopback, with a key of its own. */
export async function startTokenService(user: string, password: string): Promise<TokenService> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-tokens-"));
  const [key, certificate] = ["key.pem", "cert.pem"].map((name) => join(folder, name)) as [string, string];
  const subject = ["-subj", "/CN=tests", "-days", "1"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, ...subject],
    { stdio: "ignore" },
  );
  const refreshToken = randomUUID();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://tests");
    let parameters = url.searchParams;
    if (request.method === "POST") {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      parameters = new URLSearchParams(body);
    }
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const known = request.headers.authorization === basic || parameters.get("refresh_token") === refreshToken;
    if (!known || parameters.get("service") !== service) {
      response.writeHead(401).end("{}");
      return;
    }
    const [type, name, actions = ""] = (parameters.get("scope") ?? "").split(/:(?=[^:]*$)|(?<=^repository):/);
    const access = [{ type, name, actions: actions.split(",") }];
    const token = sign(access, readFileSync(key, "utf8"), readFileSync(certificate, "utf8"));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(request.method === "POST" ? { access_token: token } : { token }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    auth: { realm, service, issuer, rootcertbundle: certificate },
    refreshToken,
    close() {
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A JSON Web Token as the registry wants it, with the certificate of its key in its header. */
function sign(access: unknown, key: string, certificate: string): string {
  const now = Math.floor(performance.timeOrigin / 1000 + performance.now() / 1000);
  const der = certificate.replaceAll(/-----[^-]+-----|\s/g, "");
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: issuer, sub: "step", aud: service, nbf: now - 60, iat: now, exp: now + 300, access };
  const text = `${part({ typ: "JWT", alg: "RS256", x5c: [der] })}.${part({ ...claims, jti: randomUUID() })}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
}
