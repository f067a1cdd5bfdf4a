import type { ErrorRow } from "../runtime/error-row.ts";

/** A row of the host's table: also the HTTP status with which the API answers. */
export interface HostErrorRow extends ErrorRow {
  readonly status: number;
}
