import type { Duplex } from "node:stream";
import type { Attempt, LogLine, StepFailure } from "../driver.ts";
import { failure } from "../failure.ts";
import { createLogLines } from "../log-lines.ts";
import { EngineError } from "./engine.ts";
import { createFrameReader } from "./frames.ts";

/** What a container wrote, within its limits. */
export interface Written {
  /** Reads to the end of the stream, or to a breach of a limit. Throws EngineError when the stream breaks. */
  read(stream: Duplex): Promise<StepFailure | undefined>;
  /** All of stdout. */
  output(): string;
  /** The log until now. */
  logs(): readonly LogLine[];
}

/** Collects what a container writes. */
export function createWritten({
  limits: { outputBytes, logBytes },
  onLog,
}: Pick<Attempt, "limits" | "onLog">): Written {
  const log = createLogLines(logBytes);
  const chunks: Buffer[] = [];
  let length = 0;

  const take = (stream: "stdout" | "stderr" | "other", bytes: Buffer): StepFailure | undefined => {
    if (stream === "stderr") {
      const { lines, full } = log.write(bytes);
      if (onLog !== undefined) for (const line of lines) onLog(line);
      if (full) return failure("ERR_STEP_LOG_TOO_LARGE", `The attempt logged more than ${logBytes} bytes.`);
    }
    if (stream !== "stdout") return undefined;
    length += bytes.length;
    if (length > outputBytes) {
      const message = `The step wrote more than ${outputBytes} bytes to stdout.`;
      return failure("ERR_STEP_OUTPUT_TOO_LARGE", message);
    }
    chunks.push(bytes);
    return undefined;
  };

  return {
    async read(stream) {
      const frames = createFrameReader();
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          for (const { stream: from, bytes } of frames(chunk)) {
            const breach = take(from, bytes);
            if (breach !== undefined) return breach;
          }
        }
        return undefined;
      } catch (cause) {
        const message = `What the container wrote was cut off: ${(cause as Error).message}.`;
        throw new EngineError(failure("ERR_DOCKER_UNREACHABLE", message), { cause });
      }
    },
    output: () => Buffer.concat(chunks).toString(),
    logs: () => log.all(),
  };
}
