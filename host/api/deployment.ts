import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Json } from "../../runtime/json.ts";
import { MillraceError, type Problem } from "../errors.ts";
import { functionVersion } from "../function/define.ts";
import { loadFunction } from "../function/load.ts";
import { hasArtifact, type FunctionVersion } from "../function/version.ts";
import { describeSchemaErrors } from "../schema-problem.ts";
import { object, type Schema } from "./schemas.ts";

/** What a deployment brings. */
export interface Deployment {
  readonly functions: readonly FunctionVersion[];
  readonly schemas: Readonly<Record<string, Json>>;
}

/** The body of a deployment. */
export const deploymentSchema: Schema = object({
  functions: {
    type: "array",
    maxItems: 1_000,
    items: object({
      functionId: { type: "string" },
      version: { type: "string", description: "The digest of document, components and pinned options." },
      createdAt: { type: "integer", description: "Milliseconds since 1970-01-01T00:00:00Z." },
      document: { type: "object", description: "The function document." },
      components: {
        type: "object",
        additionalProperties: { type: "string", pattern: "^[0-9a-f]{64}$" },
        description: "Component digests (sha256, hex) by step.",
      },
      "pinned?": {
        type: "object",
        additionalProperties: { type: "object", additionalProperties: { type: "string", minLength: 1 } },
        description:
          "Options of the runtimes of steps that were published elsewhere, by step: what exactly runs.",
      },
    }),
  },
  "schemas?": { type: "object", description: "JSON Schemas of events' data, by event name." },
});

let compiled: ValidateFunction | undefined;

/** Checks a deployment's body. Throws ERR_DEPLOYMENT_INVALID with all that is wrong. */
export function readDeployment(body: unknown): Deployment {
  compiled ??= new Ajv2020({ allErrors: true, verbose: true, validateSchema: false }).compile(
    deploymentSchema,
  );
  if (!compiled(body)) {
    throw invalid(
      describeSchemaErrors(compiled.errors ?? []).map((problem) => ({
        code: "ERR_DEPLOYMENT_INVALID",
        ...problem,
      })),
    );
  }
  const { functions, schemas = {} } = body as Pick<Deployment, "functions"> & Partial<Deployment>;
  const problems = functions.flatMap((version, index) => versionProblems(version, `/functions/${index}`));
  if (problems.length > 0) throw invalid(problems);
  return { functions, schemas };
}

function versionProblems(version: FunctionVersion, base: string): readonly Problem[] {
  const { functionId, document, components, pinned = {} } = version;
  const loaded = loadFunction(JSON.stringify(document), { file: functionId });
  if (!loaded.ok) {
    // Lines of a text that nobody wrote help nobody.
    return loaded.problems.map(({ file: _file, line: _line, column: _column, ...problem }) => ({
      ...problem,
      pointer: `${base}/document${problem.pointer ?? ""}`,
    }));
  }
  const problem = (pointer: string, message: string): Problem => ({
    code: "ERR_DEPLOYMENT_INVALID",
    pointer: base + pointer,
    message,
  });
  if (document.id !== functionId) return [problem("/functionId", `the document's id is ${document.id}`)];
  const expected = functionVersion(document, components, 0, pinned).version;
  if (version.version !== expected)
    return [problem("/version", `the digest of document, components and pinned options is ${expected}`)];
  const unbuilt = Object.entries(document.steps).filter(
    ([id, step]) => hasArtifact(step) && !Object.hasOwn(components, id),
  );
  const unpinnable = Object.keys(pinned).filter((id) => document.steps[id]?.runtime?.type !== "lambda");
  return [
    ...unbuilt.map(([id]) => problem("/components", `the step ${id} has no component`)),
    ...unpinnable.map((id) =>
      problem("/pinned", `the step ${id} has no runtime of which options can be pinned`),
    ),
  ];
}

function invalid(problems: readonly Problem[]): MillraceError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const where = first?.pointer ? ` at ${first.pointer}` : "";
  const message = `${first?.message ?? "it is not valid"}${where}${more}`;
  return new MillraceError("ERR_DEPLOYMENT_INVALID", `The deployment can't be used: ${message}.`, {
    problems,
  });
}
