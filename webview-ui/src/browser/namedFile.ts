/** Whether a path of the repository is the file that is asked for; the agent names files absolutely, in its own clone. */
export function isNamed(path: string, asked: string | undefined): boolean {
  const slashed = asked?.replaceAll('\\', '/');
  return slashed !== undefined && path !== '' && (slashed === path || slashed.endsWith(`/${path}`));
}
