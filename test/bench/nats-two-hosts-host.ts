/** One of the hosts that are measured together: `node nats-two-hosts-host.ts <url> <name>`; ends with its standard input. */
import { createHost } from "../../host/index.ts";
import { idleDrivers } from "./load.ts";

const [store = "", name = ""] = process.argv.slice(2);
const host = await createHost({ store, name, drivers: idleDrivers });
console.log("ready");
process.stdin.on("end", () => void host.close()).resume();
