import { MalformedBinary } from "../../binary.ts";

const label = /^[a-z][a-z\d]*(?:-[a-z\d]+)*$/i;

/** Refuses a name that is no label. Types are compared as they are spelt: another name could be spelt like two of them. */
export function checkLabel(name: string): void {
  if (!label.test(name)) {
    throw new MalformedBinary(
      `it has a type with the name ${JSON.stringify(name.slice(0, 100))}, which is no label`,
    );
  }
}
