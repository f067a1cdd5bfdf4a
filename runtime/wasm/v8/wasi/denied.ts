/** A resource of which a step never gets one: a component that links it still instantiates. */
const absent = (): new () => object => class {};

const deny = (errorCode: string) => (): never => {
  // A result's error is thrown as its bare value; an Error would be a trap.
  // oxlint-disable-next-line no-throw-literal -- that is how a transpiled component takes it
  throw errorCode;
};

const nothing = (): undefined => undefined;

/**
 * Interfaces that the C libraries of ordinary toolchains link whether or not a program uses them.
 * They give nothing: no terminal, no preopened folder, and every way to a socket ends in access-denied.
 */
export const deniedInterfaces: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "wasi:cli/terminal-input": { TerminalInput: absent() },
  "wasi:cli/terminal-output": { TerminalOutput: absent() },
  "wasi:cli/terminal-stdin": { getTerminalStdin: nothing },
  "wasi:cli/terminal-stdout": { getTerminalStdout: nothing },
  "wasi:cli/terminal-stderr": { getTerminalStderr: nothing },
  "wasi:filesystem/preopens": { getDirectories: () => [] },
  "wasi:filesystem/types": {
    Descriptor: absent(),
    DirectoryEntryStream: absent(),
    filesystemErrorCode: nothing,
  },
  ...sockets(),
};

function sockets(): Record<string, Record<string, unknown>> {
  const Network = absent();
  return {
    "wasi:sockets/instance-network": { instanceNetwork: () => new Network() },
    "wasi:sockets/network": { Network, networkErrorCode: nothing },
    "wasi:sockets/ip-name-lookup": {
      ResolveAddressStream: absent(),
      resolveAddresses: deny("access-denied"),
    },
    "wasi:sockets/tcp": { TcpSocket: absent() },
    "wasi:sockets/tcp-create-socket": { createTcpSocket: deny("access-denied") },
    "wasi:sockets/udp": {
      UdpSocket: absent(),
      IncomingDatagramStream: absent(),
      OutgoingDatagramStream: absent(),
    },
    "wasi:sockets/udp-create-socket": { createUdpSocket: deny("access-denied") },
  };
}
