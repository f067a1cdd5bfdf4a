import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MillraceError } from "../errors.ts";

/** Tells a path that is not served from a method that its path does not take. */
export function addNotFound(app: FastifyInstance): void {
  const routes: { readonly pattern: RegExp; readonly methods: Set<string> }[] = [];
  const byUrl = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    let methods = byUrl.get(url);
    if (methods === undefined) {
      methods = new Set();
      byUrl.set(url, methods);
      const pattern = url.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+");
      routes.push({ pattern: new RegExp(`^${pattern}$`), methods });
    }
    for (const one of [method].flat()) methods.add(one);
  });
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split("?", 1)[0] ?? "";
    const route = routes.find(({ pattern }) => pattern.test(path));
    if (route === undefined) {
      throw new MillraceError("ERR_ROUTE_UNKNOWN", `Nothing is served at ${JSON.stringify(path)}.`);
    }
    const allowed = [...route.methods].join(", ");
    void reply.header("allow", allowed);
    throw new MillraceError("ERR_METHOD_UNKNOWN", `That path takes ${allowed}, not ${request.method}.`);
  });
}
