import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "../../../runtime/limits.ts";
import { eventNamePattern } from "../../../host/event/event-name.ts";
import { defaultRetry } from "../../../host/function/define.ts";
import { durationPattern, parseDuration } from "../../../host/function/duration.ts";
import schema from "../../../host/function/function.schema.json" with { type: "json" };
import { parseSize, sizePattern } from "../../../host/function/size.ts";

interface Node {
  readonly [key: string]: unknown;
}

/** Every schema within the schema, with its path. */
function* schemas(node: Node, path = "#"): Generator<readonly [string, Node]> {
  yield [path, node];
  for (const key of ["properties", "$defs"]) {
    for (const [name, child] of Object.entries((node[key] ?? {}) as Record<string, Node | boolean>)) {
      if (typeof child === "object") yield* schemas(child, `${path}/${key}/${name}`);
    }
  }
  for (const key of ["items", "additionalProperties", "propertyNames"]) {
    const child = node[key];
    if (typeof child === "object" && child !== null) yield* schemas(child as Node, `${path}/${key}`);
  }
}

describe("the published schema of function documents", () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  ajv.addSchema(schema);

  test("is valid by its own dialect, and refers to nothing outside", () => {
    expect(ajv.validateSchema(schema)).toBe(true);
    expect(JSON.stringify(schema)).not.toMatch(/"\$ref":"(?!#)/);
  });

  test("describes every property and definition, so that an editor can explain it", () => {
    for (const [path, node] of schemas(schema)) {
      if (!/\/(properties|\$defs)\/[^/]+$/.test(path)) continue;
      const target = typeof node["$ref"] === "string" ? node["$ref"] : undefined;
      const referred =
        target === undefined ? undefined : [...schemas(schema)].find(([other]) => other === target)?.[1];
      // A policy for retries means different things to a function and to a step: they describe it.
      if (path === "#/$defs/retry") continue;
      expect(node["description"] ?? referred?.["description"], path).toMatch(/^[A-Za-z$].*[.:]/);
    }
  });

  test("has examples and defaults that fit it", () => {
    let count = 0;
    for (const [path, node] of schemas(schema)) {
      const values = [
        ...((node["examples"] ?? []) as unknown[]),
        ...("default" in node ? [node["default"]] : []),
      ];
      if (values.length === 0) continue;
      const validate = ajv.compile({ $ref: `urn:millrace:function${path}` });
      for (const value of values) {
        count += 1;
        expect(validate(value), `${path}: ${JSON.stringify(value)} ${JSON.stringify(validate.errors)}`).toBe(
          true,
        );
      }
    }
    expect(count).toBeGreaterThan(30);
  });

  test("knows the same durations, sizes and event names as the code", () => {
    expect(schema.$defs.duration.pattern).toBe(durationPattern);
    expect(schema.$defs.size.pattern).toBe(sizePattern);
    expect(schema.$defs.eventName.pattern).toBe(eventNamePattern);
  });

  test("names the defaults that the code has", () => {
    const { retries, backoff } = schema.$defs.retry.properties;
    const { initial, factor, max, jitter } = backoff.properties;
    expect({
      retries: retries.default,
      initialMs: parseDuration(initial.default),
      factor: factor.default,
      maxMs: parseDuration(max.default),
      jitter: jitter.default,
    }).toEqual(defaultRetry);
    const { memory, output, logs, tmp, http } = schema.$defs.limits.properties;
    expect({
      wallMs: parseDuration(schema.$defs.step.properties.timeout.default),
      memoryBytes: parseSize(memory.default),
      outputBytes: parseSize(output.default),
      logBytes: parseSize(logs.default),
      tmpBytes: parseSize(tmp.default),
      httpConcurrent: http.properties.concurrent.default,
      httpBodyBytes: parseSize(http.properties.body.default),
    }).toEqual(defaultLimits);
  });
});
