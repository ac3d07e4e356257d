/**
 * The text that an arrow key brings into the field: an earlier message while the field is empty or holds one unchanged, and
 * only from its first line upwards or its last line downwards; else the key moves the cursor.
 * @param history the newest first
 * @returns undefined when the key means the cursor
 */
export function recall(
  history: readonly string[],
  value: string,
  cursor: number,
  key: 'ArrowUp' | 'ArrowDown',
): string | undefined {
  const at = value === '' ? -1 : history.indexOf(value);
  if (value !== '' && at < 0) {
    return undefined;
  }
  const leaves = key === 'ArrowUp' ? !value.slice(0, cursor).includes('\n') : !value.slice(cursor).includes('\n');
  if (!leaves) {
    return undefined;
  }
  if (key === 'ArrowUp') {
    return history[at + 1];
  }
  return at < 0 ? undefined : (history[at - 1] ?? '');
}
