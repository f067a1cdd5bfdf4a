import type { HostErrorRow } from "../error-row.ts";

/** What can go wrong while steps are built and projects are made. */
export const buildErrors = {
  ERR_BUILD_SYNTAX: {
    status: 422,
    summary: "A step's JavaScript or TypeScript can't be read.",
    next: "Mend the text at the line and column given.",
  },
  ERR_BUILD_IMPORT: {
    status: 422,
    summary: "A step imports what can't be found, or what a sandboxed step does not have.",
    next: "Correct the import, install the package, or do as the message says.",
  },
  ERR_BUILD_EXPORT: {
    status: 422,
    summary: "A step exports neither a default function nor `handler`.",
    next: "Write `export default async ({ event, steps, ctx }) => …`, or a program without exports.",
  },
  ERR_BUILD_EMPTY: {
    status: 422,
    summary: "A step's file holds no program: nothing, or comments and types alone.",
    next: "Write `export default async ({ event, steps, ctx }) => …`, or a program that prints.",
  },
  ERR_BUILD_EVALUATION: {
    status: 422,
    summary: "A step's module throws while it is loaded, or does not come to an end.",
    next: "Mend what stands outside of the step's function at the line given.",
  },
  ERR_BUILD_FAILED: {
    status: 422,
    summary: "A compiler refused a step's source, or what it made is no step.",
    next: "Mend the source at the places listed.",
  },
  ERR_BUILD_COMMAND: {
    status: 422,
    summary: "A step's own `build` command failed, or did not write the file at `path`.",
    next: "Run the command by hand in the document's folder, and mend what it says.",
  },
  ERR_BUILD_TOOLCHAIN_MISSING: {
    status: 422,
    summary: "A step's language needs a toolchain that is not installed here.",
    next: "Install it with the line that the message gives, or point `path` to a component that was built elsewhere.",
  },
  ERR_BUILD_TOOLCHAIN_OLD: {
    status: 422,
    summary: "A step's language has a toolchain here that is older than what steps need.",
    next: "Update it with the line that the message gives.",
  },
  ERR_BUILD_CONTEXT: {
    status: 422,
    summary: "The folder of a docker step is too large to be stored, or can't be read.",
    next: "Leave files out of it with a .dockerignore file, and have the Dockerfile fetch what is large.",
  },
  ERR_BUILD_ARCHIVE: {
    status: 422,
    summary:
      "The folder of a Lambda step can't be its function's code: it is empty, too large, or can't be read.",
    next: "Lambda takes 250 MiB of files, 50 MiB as a ZIP; point `path` to a folder with what the function needs alone.",
  },
  ERR_OCI_UNREACHABLE: {
    status: 503,
    summary: "The OCI registry that a reference names does not answer, or not as a registry does.",
    next: "Check the reference's host name, and try again once the registry answers.",
  },
  ERR_OCI_DENIED: {
    status: 403,
    summary: "The OCI registry wants credentials, or refuses those that are there.",
    next: "Log in with `docker login <registry>`: the same credentials are taken here.",
  },
  ERR_OCI_MISSING: {
    status: 422,
    summary: "The OCI registry has no artifact of that tag or digest.",
    next: "Correct the reference, or push the artifact.",
  },
  ERR_OCI_INVALID: {
    status: 422,
    summary:
      "What the OCI registry has is no artifact of one Wasm component, or not what its digest says; or it refused one.",
    next: "Push the component with `wkg oci push` or `millrace push --to oci://…`, or do as the message says.",
  },
  ERR_BUILD_BROKEN: {
    status: 500,
    summary: "No component could be made of a step, through no fault that was found in it.",
    next: "`millrace doctor` checks the builder; report the message if that finds nothing.",
  },
  ERR_BUILD_CHANGED: {
    status: 500,
    summary: "A component on disk changed after it was built and before it was stored.",
    next: "Build again.",
  },
  ERR_SCAFFOLD_NOT_EMPTY: {
    status: 422,
    summary: "The folder for a new project has files in it that would be written over.",
    next: "Choose an empty folder, or write over them with --force.",
  },
} as const satisfies Record<string, HostErrorRow>;
