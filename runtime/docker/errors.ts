import type { RuntimeErrorRow } from "../error-row.ts";

/** What can go wrong with a step of runtime docker besides what can with any step. */
export const dockerErrors = {
  ERR_DOCKER_UNREACHABLE: {
    retry: true,
    summary: "No Docker or Podman engine answers.",
    next: "Start the engine, or name another in DOCKER_HOST; `millrace doctor` says where it was looked for.",
  },
  ERR_DOCKER_ADDRESS: {
    retry: false,
    summary: "DOCKER_HOST, the Docker context or its certificates name no engine that could be called.",
    next: "Mend the place that the message names: unix:///<path> or tcp://<host>:<port>.",
  },
  ERR_DOCKER_TLS: {
    retry: false,
    summary:
      "The host and the Docker engine don't trust each other's certificates, or one of them uses no TLS.",
    next: "Check DOCKER_TLS_VERIFY, and ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH.",
  },
  ERR_DOCKER_VERSION: {
    retry: false,
    summary: "The Docker or Podman engine is too old, too new, or runs no Linux containers.",
    next: "Use one that speaks version 1.40 or newer of the Docker Engine API, with Linux containers.",
  },
  ERR_DOCKER_FAILED: {
    retry: true,
    summary: "The Docker engine failed, not the step: it refused a call, or answered what can't be read.",
    next: "Read the engine's own message; its log may say more.",
  },
  ERR_IMAGE_MISSING: {
    retry: false,
    summary: "The engine does not have the step's image, and may not pull it.",
    next: "Load the image into the engine, or let the step pull it: `pull` of its runtime.",
  },
  ERR_IMAGE_PULL: {
    retry: true,
    summary: "The engine could not pull the step's image.",
    next: "Check the image's name, and `docker login` on the machine of the host.",
  },
  ERR_IMAGE_BUILD: {
    retry: false,
    summary: "The image could not be built from the step's folder.",
    next: "Mend the Dockerfile at the instruction that the last lines name. Instructions have no network unless the step's capability `network` gives them one.",
  },
  ERR_IMAGE_PROGRAM: {
    retry: false,
    summary:
      "The image has no program that could be started: no ENTRYPOINT and no CMD, no such file, another processor's.",
    next: 'Name one in the Dockerfile, as ENTRYPOINT ["/step"], or in `command` of the step\'s runtime.',
  },
} as const satisfies Record<string, RuntimeErrorRow>;
