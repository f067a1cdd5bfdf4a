/** Error numbers of WASI preview 1 that a step can meet. */
export const errno = {
  success: 0,
  badf: 8,
  inval: 28,
  nosys: 52,
  notdir: 54,
  notsock: 57,
  spipe: 70,
} as const;
