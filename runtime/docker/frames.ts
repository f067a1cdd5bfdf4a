/** A piece of what a container wrote. "other": not the container's own, such as a fault that the engine tells of. */
export interface Frame {
  readonly stream: "stdout" | "stderr" | "other";
  readonly bytes: Buffer;
}

const headerBytes = 8;

/**
 * Takes apart what an engine sends of a container without a terminal: 8 bytes that say which stream (the first one) and
 * how many bytes follow (the last four, big-endian), and these bytes. Both may be cut anywhere. Throws a RangeError for
 * bytes that are no such stream.
 */
export function createFrameReader(): (chunk: Buffer) => readonly Frame[] {
  let header = Buffer.alloc(0);
  let stream: Frame["stream"] = "other";
  let left = 0;
  return (chunk) => {
    const frames: Frame[] = [];
    for (let at = 0; at < chunk.length;) {
      if (left === 0) {
        const missing = chunk.subarray(at, at + headerBytes - header.length);
        header = Buffer.concat([header, missing]);
        at += missing.length;
        if (header.length < headerBytes) break;
        stream = streamOf(header);
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      } else {
        const bytes = chunk.subarray(at, at + left);
        frames.push({ stream, bytes });
        at += bytes.length;
        left -= bytes.length;
      }
    }
    return frames;
  };
}

function streamOf(header: Buffer): Frame["stream"] {
  const kind = header.readUInt8(0);
  if (kind > 3 || header.readUIntBE(1, 3) !== 0) {
    throw new RangeError(`the engine sent no frames: ${header.toString("hex")}`);
  }
  return kind === 1 ? "stdout" : kind === 2 ? "stderr" : "other";
}
