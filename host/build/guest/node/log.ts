// What `import … from "millrace:step/log"` gives.
export const { log } = __millrace;

// oxlint-disable-next-line import/no-default-export -- a world's interface is a default export
export default { log };
