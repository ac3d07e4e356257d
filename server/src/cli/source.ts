/** Whether a source of a repository is an address and not a folder of this machine. */
export function isUrl(source: string): boolean {
  return /^[a-z+]+:\/\/|^[^/]+@[^/]+:/.test(source);
}
