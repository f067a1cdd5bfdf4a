import { constants, type Http2Server, type Http2Stream, type ServerHttp2Session } from "node:http2";
import type { Timeouts } from "./timeouts.ts";

/** Open HTTP/2 sessions. */
export interface Sessions {
  readonly open: ReadonlySet<ServerHttp2Session>;
  /** Ends the watch over them. */
  stop(): void;
}

/** Holds HTTP/2 clients to the same times as Node holds those of HTTP/1.1. */
export function guardSessions(http2: Http2Server, timeouts: Timeouts): Sessions {
  const open = new Set<ServerHttp2Session>();
  /** Requests whose body has not ended, the oldest first, and when they began. */
  const arriving = new Map<Http2Stream, number>();

  http2.on("session", (session) => {
    open.add(session);
    session.once("close", () => open.delete(session));
    session.setTimeout(timeouts.idleMs, () => {
      // Open streams get as long again; what is silent for that long has nobody at its other end.
      if (session.closed) session.destroy();
      else session.close();
    });
  });
  http2.on("stream", (stream, _headers, flags) => {
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) return;
    arriving.set(stream, performance.now());
    const ended = (): void => {
      arriving.delete(stream);
    };
    stream.once("end", ended).once("close", ended);
  });
  const sweep = setInterval(
    () => {
      const oldest = performance.now() - timeouts.requestMs;
      for (const [stream, since] of arriving) {
        if (since > oldest) return;
        arriving.delete(stream);
        stream.close(constants.NGHTTP2_CANCEL);
      }
    },
    Math.max(100, Math.min(5_000, timeouts.requestMs / 2)),
  ).unref();

  return { open, stop: () => clearInterval(sweep) };
}
