import { BlockList, isIPv4, isIPv6 } from "node:net";

/**
 * Who may be reached at an address. "private": this machine and its own networks, with a grant that says so.
 * "link-local": where clouds keep a machine's credentials, only if a grant names the address itself. "never": no
 * address of one host, or one that stands for an address of the other family.
 */
export type AddressKind = "public" | "private" | "link-local" | "never";

type Range = readonly [network: string, prefix: number];

/** The special-purpose registries of IANA, as far as what they list is no place on the Internet. */
const private4: readonly Range[] = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
];
const linkLocal4: readonly Range[] = [["169.254.0.0", 16]];
const never4: readonly Range[] = [
  ["0.0.0.0", 8],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
const private6: readonly Range[] = [
  ["::1", 128],
  ["fc00::", 7],
];
const linkLocal6: readonly Range[] = [["fe80::", 10]];
/** All that is given out to hosts. What is outside of it, with the mapped and translated addresses, is for nobody. */
const global6: readonly Range[] = [["2000::", 3]];
/** Of it: protocol assignments with Teredo, documentation, 6to4. */
const never6: readonly Range[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const lists = {
  ipv4: { private: list("ipv4", private4), linkLocal: list("ipv4", linkLocal4), never: list("ipv4", never4) },
  ipv6: {
    private: list("ipv6", private6),
    linkLocal: list("ipv6", linkLocal6),
    never: list("ipv6", never6),
    global: list("ipv6", global6),
  },
};

/** The kind of an address in text, without brackets; "never" for what is none, or has a zone. */
export function addressKind(address: string): AddressKind {
  if (isIPv4(address)) {
    const { private: own, linkLocal, never } = lists.ipv4;
    if (own.check(address)) return "private";
    if (linkLocal.check(address)) return "link-local";
    return never.check(address) ? "never" : "public";
  }
  if (!isIPv6(address) || address.includes("%")) return "never";
  const { private: own, linkLocal, never, global } = lists.ipv6;
  if (own.check(address, "ipv6")) return "private";
  if (linkLocal.check(address, "ipv6")) return "link-local";
  return global.check(address, "ipv6") && !never.check(address, "ipv6") ? "public" : "never";
}

function list(family: "ipv4" | "ipv6", ranges: readonly Range[]): BlockList {
  const made = new BlockList();
  for (const [network, prefix] of ranges) made.addSubnet(network, prefix, family);
  return made;
}
