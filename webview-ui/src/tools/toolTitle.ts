/** The title of a tool call beside its name: `Edit slug.sh` says the name once more. */
export function withoutName(name: string, title: string): string {
  return title.startsWith(`${name} `) ? title.slice(name.length + 1) : title;
}
