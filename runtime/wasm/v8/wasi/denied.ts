import { err, hostFunction } from "./host-function.ts";
import type { HostInterfaces } from "./host-function.ts";

const errorCodes = (
  "unknown access-denied not-supported invalid-argument out-of-memory timeout concurrency-conflict not-in-progress " +
  "would-block invalid-state new-socket-limit address-not-bindable address-in-use remote-unreachable " +
  "connection-refused connection-reset connection-aborted datagram-too-large name-unresolvable " +
  "temporary-resolver-failure permanent-resolver-failure"
).split(" ");
const errorCode = `enum{${errorCodes.join(", ")}}`;
const accessDenied = err(errorCodes.indexOf("access-denied"));

/**
 * wasi:sockets, which the C libraries of ordinary toolchains link whether or not a program uses them. Every way to a
 * socket is denied, so that a guest never gets a resource of theirs: their other functions can't be called.
 */
export const deniedInterfaces: HostInterfaces = {
  "wasi:sockets/instance-network": { "instance-network": hostFunction("() -> own<network>", () => ({})) },
  "wasi:sockets/ip-name-lookup": {
    "resolve-addresses": hostFunction(
      `(borrow<network>, string) -> result<own<resolve-address-stream>, ${errorCode}>`,
      () => accessDenied,
    ),
  },
  "wasi:sockets/tcp-create-socket": {
    "create-tcp-socket": hostFunction(
      `(enum{ipv4, ipv6}) -> result<own<tcp-socket>, ${errorCode}>`,
      () => accessDenied,
    ),
  },
  "wasi:sockets/udp-create-socket": {
    "create-udp-socket": hostFunction(
      `(enum{ipv4, ipv6}) -> result<own<udp-socket>, ${errorCode}>`,
      () => accessDenied,
    ),
  },
};
