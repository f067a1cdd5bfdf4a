import { afterEach, beforeEach } from "vitest";
import type { AttemptResult, Driver } from "../../../runtime/driver.ts";
import type { Json } from "../../../runtime/json.ts";
import { createLambdaDriver } from "../../../runtime/lambda/lambda.ts";
import { attempt } from "./attempts.ts";
import { startService, type Answer, type Asked, type Service } from "./service.ts";

/** The credentials of the environment. */
export const secrets = {
  AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "a-secret",
  AWS_SESSION_TOKEN: "a-token",
};

const environment = { ...secrets, AWS_REGION: "eu-central-1", AWS_EC2_METADATA_DISABLED: "true" };

/** A driver, and an endpoint of Lambda's API that gives recorded answers. */
export interface Recorded {
  readonly driver: Driver;
  /** Starts the endpoint; each request gets what `answer` gives for it. */
  serve(answer: Parameters<typeof startService>[0]): Promise<Service>;
  /** Runs a step whose invocations get this answer. */
  answered(answer: Answer | undefined, runtime?: Readonly<Record<string, Json>>): Promise<AttemptResult>;
  /** Where it listens. */
  endpoint(): string;
  /** What was asked of the endpoint. */
  asked(): readonly Asked[];
}

/** For each test of a file: a driver of its own, AWS's variables in the environment, and an endpoint if it wants one. */
export function recorded(): Recorded {
  const before = { ...process.env };
  let driver: Driver;
  let service: Service | undefined;

  beforeEach(() => {
    Object.assign(process.env, environment);
    driver = createLambdaDriver();
  });
  afterEach(async () => {
    await driver.close();
    await service?.close();
    service = undefined;
    process.env = { ...before };
  });

  const serve: Recorded["serve"] = async (answer) => (service = await startService(answer));
  return {
    get driver() {
      return driver;
    },
    serve,
    async answered(answer, runtime = {}) {
      const { endpoint } = await serve(() => answer);
      return driver.execute(attempt({ function: "shop-charge", qualifier: "7", endpoint, ...runtime }));
    },
    endpoint: () => service?.endpoint ?? "",
    asked: () => service?.asked ?? [],
  };
}
