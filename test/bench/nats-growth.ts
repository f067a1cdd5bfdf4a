import { functionVersion } from "../../host/function/define.ts";
import { type Figure, median } from "./figure.ts";
import { idleDrivers, oneStepHost, throughput } from "./load.ts";
import { serverDefaults, withNatsServer } from "./nats-store.ts";

const finishedRuns = 1_000_000;
const functions = 1_000;
const round = 20_000;
const rounds = 5;

/** Throughput with 1,000 functions registered, and with a million finished runs stored, against neither. */
export async function run(): Promise<readonly Figure[]> {
  return withNatsServer(async (server) => {
    const open = (prefix: string) =>
      oneStepHost({ store: server.url, drivers: idleDrivers, nats: { prefix } });
    const many = await open("many");
    const others = Array.from({ length: functions }, (_, n) =>
      functionVersion(
        { id: `other-${n}`, triggers: [{ event: `other/event-${n}` }], steps: { only: {} } },
        {},
        0,
      ),
    );
    await many.host.deploy(others);
    const grown = await open("grown");
    await throughput(grown, finishedRuns);

    // In turns, so that what else the machine does meets all alike; an empty store is a new one each time.
    const measured = { fresh: [] as number[], many: [] as number[], grown: [] as number[] };
    for (let i = 0; i < rounds; i += 1) {
      const empty = await open(`empty-${i}`);
      // The first events of a connection are slower than the rest.
      await throughput(empty, round / 4);
      measured.fresh.push(await throughput(empty, round));
      await empty.host.close();
      measured.many.push(await throughput(many, round));
      measured.grown.push(await throughput(grown, round));
    }
    await many.host.close();
    await grown.host.close();
    const figure = (name: string, values: readonly number[]): Figure => ({
      bench: "nats-growth",
      figure: name,
      value: median(values),
      unit: "runs/s",
      against: "the same on an empty installation",
      settings: serverDefaults,
      ratio: median(values) / median(measured.fresh),
      better: "higher",
    });
    return [
      figure(`throughput, ${functions} functions`, measured.many),
      figure(`throughput, ${finishedRuns} finished runs`, measured.grown),
    ];
  });
}
