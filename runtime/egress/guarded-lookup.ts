import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { addressKind } from "./addresses.ts";
import { EgressRefusal } from "./refusal.ts";

/** Finds the addresses of a name. Rejects with the errors of node:dns. */
export type Resolver = (name: string) => Promise<readonly string[]>;

/** Asks the operating system, as every program of the machine does. */
export const systemResolver: Resolver = async (name) => {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
};

/**
 * For a socket's `lookup`: resolves a name each time a connection is made, and gives the socket no address but those
 * that were found allowed in that one answer. A name that has another address a moment later gains nothing by it.
 */
export function guardedLookup(resolve: Resolver, mayBePrivate: boolean): LookupFunction {
  const allowed = async (name: string): Promise<readonly string[]> => {
    const found = await resolve(name);
    const some = found.filter((address) => mayConnect(address, mayBePrivate));
    if (some.length === 0) throw prohibited(name);
    return some;
  };
  const answer: (...asked: Parameters<LookupFunction>) => Promise<void> = async (name, { all }, callback) => {
    let addresses: { readonly address: string; readonly family: number }[];
    try {
      addresses = (await allowed(name)).map((address) => ({ address, family: isIP(address) }));
    } catch (error) {
      return callback(error as NodeJS.ErrnoException, "");
    }
    const [{ address, family } = { address: "", family: 0 }] = addresses;
    if (all === true) callback(null, addresses);
    else callback(null, address, family);
  };
  return (...asked) => void answer(...asked);
}

/** A socket asks nobody about an address. Throws an EgressRefusal for one that no grant gives. */
export function checkLiteral(host: string, mayBePrivate: boolean): void {
  const address = host.startsWith("[") ? host.slice(1, -1) : host;
  if (isIP(address) === 0) return;
  // The grant names it: a link-local one was meant, too.
  const named = mayBePrivate && addressKind(address) === "link-local";
  if (!named && !mayConnect(address, mayBePrivate)) throw prohibited(host);
}

function mayConnect(address: string, mayBePrivate: boolean): boolean {
  const kind = addressKind(address);
  return kind === "public" || (kind === "private" && mayBePrivate);
}

function prohibited(host: string): EgressRefusal {
  const message = `${host} has no address that the step may reach: those of private networks need a grant with \`private\`.`;
  return new EgressRefusal("destination-IP-prohibited", message);
}
