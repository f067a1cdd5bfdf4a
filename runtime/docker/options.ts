import type { StepProgram } from "../driver.ts";

/** What a step's document says of its container, beside the type. */
export interface DockerOptions {
  /** What to run, where the step has no folder of its own: "alpine:3", "registry.example.com/team/step@sha256:…". */
  readonly image?: string;
  /** When the image is pulled: if the engine does not have it (the default), whenever a host gets the step ready, or never. */
  readonly pull?: "missing" | "always" | "never";
  /** How the folder is built. */
  readonly build?: BuildOptions;
  /** In place of the image's own. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** Whom it runs as, in place of the image's own user: a name or number, and a group behind a colon. */
  readonly user?: string;
  /** Processors that it may use at once; 1 by default. */
  readonly cpus?: number;
}

/** How a folder with a Dockerfile becomes an image. */
export interface BuildOptions {
  /** The file's name in the folder; "Dockerfile" by default. */
  readonly dockerfile?: string;
  /** The stage of the file that is the step; the last one by default. */
  readonly target?: string;
  /** Values for its ARG instructions. */
  readonly args?: Readonly<Record<string, string>>;
}

/** The options of a program; that they are well-formed is for who loads its document to check. */
export function dockerOptions({ runtime }: StepProgram): DockerOptions {
  const { type: _type, ...options } = runtime;
  return options;
}
