import { describe, expect, test } from "vitest";
import { documentWith, pairsOf, problemsOf } from "./problems.ts";

const path = "file://./x";
const arn = "arn:aws:lambda:eu-central-1:123456789012:function:charge";

describe("steps of runtime lambda", () => {
  test("may have all that they can have", () => {
    const options = {
      region: "eu-central-1",
      endpoint: "http://127.0.0.1:9000/x",
      fatal: ["ValidationError"],
    };
    const functions = ["charge", arn, arn.replace("aws:", "aws-us-gov:"), "123456789012:function:charge"];
    const steps = {
      folder: { path, runtime: { type: "lambda" } },
      alias: { path, runtime: { type: "lambda", qualifier: "live", ...options } },
      ...Object.fromEntries(
        functions.map((name, index) => [`f${index}`, { runtime: { type: "lambda", function: name } }]),
      ),
      version: { runtime: { type: "lambda", function: "charge", qualifier: "7" } },
      latest: { runtime: { type: "lambda", function: "charge", qualifier: "$LATEST" } },
    };
    expect(pairsOf(documentWith({ steps }))).toEqual([]);
  });

  test("have every problem told at once", () => {
    const steps = {
      a: { runtime: { type: "lambda" } },
      b: { path, runtime: { type: "lambda", qualifier: "7" } },
      c: { path, runtime: { type: "lambda", qualifier: "$LATEST" } },
      d: { runtime: { type: "lambda", function: "a b", qualifier: "v 1", endpoint: "lambda.example" } },
      e: { runtime: { type: "lambda", function: `${arn}:7`, region: "Frankfurt", fatal: "ValidationError" } },
      f: { path, runtime: { type: "lambda", functoin: "charge", fatal: [1] } },
      g: { path, runtime: { type: "lambda" }, capabilities: { env: { A: "1" } } },
    };
    expect(pairsOf(documentWith({ steps })).toSorted()).toEqual([
      "CAPABILITY /steps/g/capabilities/env",
      "RUNTIME /steps/a/runtime",
      "RUNTIME /steps/b/runtime/qualifier",
      "RUNTIME /steps/c/runtime/qualifier",
      "RUNTIME /steps/d/runtime/endpoint",
      "RUNTIME /steps/d/runtime/function",
      "RUNTIME /steps/d/runtime/qualifier",
      "RUNTIME /steps/e/runtime/function",
      "SCHEMA /steps/e/runtime/fatal",
      "SCHEMA /steps/e/runtime/region",
      "SCHEMA /steps/f/runtime/fatal/0",
      "SCHEMA /steps/f/runtime/functoin",
    ]);
  });

  test("have secrets of their own role, and none of Millrace's", () => {
    const runtime = { type: "lambda", function: "charge" };
    const steps = { a: { runtime, capabilities: { secrets: ["KEY"] } } };
    expect(problemsOf(documentWith({ steps }))).toMatchObject([
      {
        code: "ERR_FUNCTION_CAPABILITY",
        message: expect.stringContaining("can't have the capability secrets"),
        expected: expect.stringContaining("role and environment"),
      },
    ]);
  });

  test("have a misspelt option's name corrected", () => {
    const steps = { a: { runtime: { type: "lambda", function: "charge", qualifer: "live" } } };
    expect(problemsOf(documentWith({ steps }))).toMatchObject([{ suggestion: "qualifier" }]);
  });
});
