/** What a new project is made for. */
export interface ProjectTexts {
  /** The function's id, and the package's name. */
  readonly id: string;
  /** The event that starts it. */
  readonly event: string;
  /** Where its two steps begin, relative to the folder. */
  readonly greet: string;
  readonly count: string;
  /** The version of millrace that makes it. */
  readonly version: string;
  /** Packages that build its steps, with their versions. */
  readonly tools: Readonly<Record<string, string>>;
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** function.json: two steps, one after the other. */
export function functionText({ id, event, greet, count }: ProjectTexts): string {
  return json({
    $schema: "./node_modules/millrace/host/function/function.schema.json",
    id,
    triggers: [{ event }],
    steps: {
      greet: { path: `file://./${greet}` },
      count: { path: `file://./${count}`, after: [{ step: "greet" }] },
    },
  });
}

/** The JSON Schema of the event's data. */
export function schemaText(): string {
  return json({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: { name: { type: "string", minLength: 1 } },
  });
}

/** An event to begin with. */
export function eventText({ event }: ProjectTexts): string {
  return json({ name: event, data: { name: "Ada" } });
}

/** package.json, so that editors find the function's schema and npm scripts the command. */
export function packageText({ id, version, tools }: ProjectTexts): string {
  return json({
    name: id.toLowerCase(),
    private: true,
    type: "module",
    scripts: { dev: "millrace dev", build: "millrace build" },
    devDependencies: { ...tools, millrace: `^${version}` },
  });
}

/** tsconfig.json, with which editors check the steps. */
export function tsconfigText(): string {
  return json({
    compilerOptions: {
      target: "es2024",
      lib: ["es2024", "dom"],
      module: "preserve",
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      verbatimModuleSyntax: true,
    },
    include: ["steps"],
  });
}

/** .gitignore. */
export const gitignoreText = "node_modules/\n.millrace/\n.venv/\ntarget/\n";

/** README.md. */
export function readmeText({ id, event }: ProjectTexts): string {
  return `# ${id}

The event \`${event}\` starts the function in \`function.json\`; its steps are in \`steps/\`, the event's schema in \`events/\`.

- \`millrace run ${id} --event event.json\` runs it once and prints what its steps put out;
- \`millrace dev\` serves it, and builds again whatever you change; \`millrace send event.json\` sends the event to it.
`;
}
