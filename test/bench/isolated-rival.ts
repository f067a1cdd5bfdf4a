/** Measures one rival and prints its figures in JSON: `node isolated-rival.ts restate|temporal 1|3`. */
import { measureRestateHere } from "./restate.ts";
import { measureTemporalHere } from "./temporal.ts";

const [rival, steps] = process.argv.slice(2);
const here = rival === "restate" ? measureRestateHere : measureTemporalHere;
console.log(`\n${JSON.stringify(await here(steps === "3" ? 3 : 1))}`);
