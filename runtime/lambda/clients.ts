import type { ConnectLambda, LambdaApi, LambdaPlace } from "./api.ts";

/** One client for each place in which there are functions. */
export interface Clients {
  at(place: LambdaPlace): Promise<LambdaApi>;
  close(): Promise<void>;
}

/** Clients that are opened when they are needed. `sockets`: of each, at most. */
export function createClients(connect: ConnectLambda, sockets: number): Clients {
  const clients = new Map<string, Promise<LambdaApi>>();
  return {
    at({ region, endpoint }) {
      const key = JSON.stringify([region, endpoint]);
      const known = clients.get(key);
      if (known !== undefined) return known;
      const place = {
        ...(region === undefined ? {} : { region }),
        ...(endpoint === undefined ? {} : { endpoint }),
      };
      const client = connect(place, sockets);
      clients.set(key, client);
      // The package may be installed later.
      client.catch(() => clients.delete(key));
      return client;
    },
    async close() {
      const opened = await Promise.allSettled(clients.values());
      for (const client of opened) if (client.status === "fulfilled") client.value.close();
    },
  };
}
