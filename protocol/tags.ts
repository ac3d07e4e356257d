/* The words that a person gives to sessions. No schema here: what is loaded at first needs this too. */

export const MAX_TAGS = 20;

/** One word, so that a filter can name it. */
export const TAG = /^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,39}$/u;

/** How two tags are compared. */
export function foldTag(tag: string): string {
  return tag.normalize('NFC').toLowerCase();
}

/** The tags after a change, without doubles (letters of either case are the same), in the order of the alphabet. */
export function changedTags(tags: readonly string[], add: readonly string[], remove: readonly string[]): string[] {
  const removed = new Set(remove.map(foldTag));
  const byName = new Map<string, string>();
  for (const tag of [...tags.filter(known => !removed.has(foldTag(known))), ...add]) {
    byName.set(foldTag(tag), byName.get(foldTag(tag)) ?? tag);
  }
  return [...byName.values()].sort((one, other) => one.localeCompare(other, 'en'));
}
