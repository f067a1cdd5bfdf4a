import { createHttpDriver } from "../../../runtime/http/http.ts";
import { driverContract, type DriverFixture, type stepPrograms } from "../driver-contract.ts";
import { type Answer, startReceiver } from "./receiver.ts";

/** The contract's steps as a receiver's answers. */
const answers: Readonly<Record<keyof typeof stepPrograms, Answer>> = {
  echo: ({ body }, response) => response.end(body),
  nothing: (_, response) => response.writeHead(204).end(),
  text: (_, response) => response.end("two\nlines: 世界\n"),
  nested: (_, response) => response.end("[".repeat(1001) + "]".repeat(1001)),
  failing: (_, response) => response.writeHead(500).end("it is broken"),
  fatal: (_, response) => response.writeHead(422).end("it can't be mended"),
  sleeping: () => undefined,
  flooding(_, response) {
    const more = (): void => {
      while (!response.destroyed && response.write("flood".repeat(1_000)));
    };
    response.on("drain", more);
    more();
  },
  logging: (_, response) => response.end("true"),
};

async function open(): Promise<DriverFixture> {
  const receiver = await startReceiver((request, response) =>
    answers[request.path.slice(1) as keyof typeof answers](request, response),
  );
  const programs = Object.keys(answers).map((name) => [name, receiver.program(`/${name}`)]);
  return {
    driver: createHttpDriver(),
    programs: Object.fromEntries(programs) as DriverFixture["programs"],
    dispose: () => receiver.close(),
  };
}

driverContract("http", open, { logs: false });
