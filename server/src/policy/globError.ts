/** What is wrong with a pattern, as the end of a sentence: "names no file". */
export class GlobError extends Error {}
