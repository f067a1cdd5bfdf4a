import { installNatsServer, natsServerVariable } from "./host/nats/find-server.ts";

/**
 * Gets what tests need beyond npm, once for all of them. With CI=true a missing part is an error; otherwise its tests
 * are skipped, and the returned function says so at the end.
 */
export default function setup(): () => void {
  const missing: string[] = [];
  try {
    process.env[natsServerVariable] = installNatsServer();
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    missing.push((error as Error).message);
  }
  return () => {
    for (const message of missing) console.error(`\nTESTS WERE SKIPPED. ${message}`);
  };
}
