/** On each image that was built: the sha256 of its context. */
export const artifactLabel = "millrace.artifact";
/** On each container, and each volume of one: the process that made it, as `owner.ts` has it. */
export const ownerLabel = "millrace.owner";
/** Likewise: when its attempt is over whatever happened, in milliseconds since 1970-01-01T00:00:00Z. */
export const expiresLabel = "millrace.expires";
/** On each container, for people: whose attempt it is. */
export const runLabel = "millrace.run";
export const functionLabel = "millrace.function";
export const stepLabel = "millrace.step";
