import type { ResourceType } from "../component/handle-table.ts";
import type { ImportedInterfaces } from "../component/resolve-type.ts";
import { Trap } from "../component/trap.ts";
import { ambientInterfaces } from "./ambient.ts";
import { cliInterfaces } from "./cli.ts";
import { configInterfaces } from "./config.ts";
import { deniedInterfaces } from "./denied.ts";
import { filesystemInterfaces } from "./filesystem.ts";
import type { HostInterfaces } from "./host-function.ts";
import { httpInterfaces } from "./http-client/http.ts";
import { ioInterfaces } from "./io.ts";
import { keyValueInterfaces } from "./key-value.ts";

/** A component imports a function of the host with another type than it has. */
export class ImportMismatch extends Error {}

const interfaces: HostInterfaces = {
  ...cliInterfaces,
  ...ioInterfaces,
  ...ambientInterfaces,
  ...deniedInterfaces,
  ...filesystemInterfaces,
  ...configInterfaces,
  ...keyValueInterfaces,
  ...httpInterfaces,
};

/**
 * The host's side of what a step imports: WASI 0.2 of any patch version, and `millrace:step/log`. All functions are
 * synchronous, and reach nothing but the world of the attempt that calls them.
 */
export function createInterfaces(): ImportedInterfaces {
  const resources = new Map<string, ResourceType>();
  return {
    resource(interfaceName, name) {
      const key = `${withoutVersion(interfaceName)}/${name}`;
      const type = resources.get(key) ?? { name };
      resources.set(key, type);
      return type;
    },
    func(interfaceName, name, signature) {
      const found = ownItem(ownItem(interfaces, withoutVersion(interfaceName)), name);
      // Functions of granted interfaces that need a resource of which there are none, or are newer than this host.
      if (found === undefined) {
        return () => {
          throw new Trap(`${interfaceName} ${name} is not there in a step`);
        };
      }
      if (found.signature !== signature) {
        throw new ImportMismatch(
          `${interfaceName} ${name} with the type ${signature}; it is ${found.signature}`,
        );
      }
      return ({ world }, args) => found.call(world, args as never);
    },
  };
}

/** What the table itself holds: names are a guest's, and every object has some by birth. */
function ownItem<T>(table: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

function withoutVersion(name: string): string {
  return name.replace(/@.*$/, "");
}
