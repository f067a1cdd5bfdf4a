import { describe, expect, test } from "vitest";
import { documentWith, pairsOf } from "./problems.ts";

const path = "file://./x";

describe("steps of runtime docker", () => {
  test("may have all that they can have", () => {
    const digest = "0".repeat(64);
    const images = [
      "a",
      "alpine:3.20",
      "team/step",
      "localhost:5000/a/b_c:1",
      `x.example/a@sha256:${digest}`,
    ];
    const build = { dockerfile: "prod.Dockerfile", target: "run", args: { A: "1" } };
    const options = { entrypoint: ["/step"], command: [], user: "1000:app", cpus: 0.5 };
    const capabilities = { env: { A: "1" }, tmp: true, network: "build" };
    const steps = {
      folder: { path, runtime: { type: "docker", build, ...options }, capabilities },
      ...Object.fromEntries(
        images.map((image, index) => [
          `image-${index}`,
          { runtime: { type: "docker", image, pull: "always" }, capabilities: { network: true } },
        ]),
      ),
    };
    expect(pairsOf(documentWith({ steps }))).toEqual([]);
  });

  test("have every problem told at once", () => {
    const document = {
      steps: {
        a: { runtime: { type: "docker" } },
        b: { path, runtime: { type: "docker", image: "alpine:3" } },
        c: { path, runtime: { type: "docker", pull: "never" } },
        d: { runtime: { type: "docker", image: "alpine", build: {} } },
        e: { runtime: { type: "docker", image: "Alpine:3", pull: "sometimes", cpus: 0, user: "a b" } },
        f: { runtime: { type: "docker", image: "../x", entrypoint: [], command: [1], other: 1 } },
        g: { path, runtime: { type: "docker", build: { dockerfile: 1, args: { A: 1 }, context: "." } } },
        h: {
          path,
          runtime: { type: "docker" },
          capabilities: { http: ["a.example"], network: "yes", kv: true },
        },
        i: { path, capabilities: { network: true } },
        j: { path, runtime: { type: "docker" }, limits: { cpu: "1s" } },
      },
    };
    expect(pairsOf(documentWith(document)).toSorted()).toEqual([
      "CAPABILITY /steps/h/capabilities/http",
      "CAPABILITY /steps/h/capabilities/kv",
      "CAPABILITY /steps/i/capabilities/network",
      "RUNTIME /steps/a/runtime",
      "RUNTIME /steps/b/runtime",
      "RUNTIME /steps/c/runtime/pull",
      "RUNTIME /steps/d/runtime/build",
      "RUNTIME /steps/e/runtime/image",
      "RUNTIME /steps/f/runtime/image",
      "RUNTIME /steps/j/limits/cpu",
      "SCHEMA /steps/e/runtime/cpus",
      "SCHEMA /steps/e/runtime/pull",
      "SCHEMA /steps/e/runtime/user",
      "SCHEMA /steps/f/runtime/command/0",
      "SCHEMA /steps/f/runtime/entrypoint",
      "SCHEMA /steps/f/runtime/other",
      "SCHEMA /steps/g/runtime/build/args/A",
      "SCHEMA /steps/g/runtime/build/context",
      "SCHEMA /steps/g/runtime/build/dockerfile",
      "SCHEMA /steps/h/capabilities/network",
    ]);
  });
});
