import { matchPatterns } from './patterns.ts';
import type { SecretSearch } from './secretSearch.ts';

export interface FoundSecret {
  name: string;
  /** From 1; absent when it is spread over lines. */
  line?: number;
  /** The relay holds it; else it only looks like one. */
  held: boolean;
}

/**
 * The secrets that a file has and had not before; each kind of what the relay holds once. What they are is told to nobody.
 * @param before what the file was; what stood there already is not found
 */
export function findSecrets(content: Buffer, before: Buffer, search: SecretSearch): FoundSecret[] {
  const text = textOf(content);
  const old = textOf(before);
  return [...heldIn(text, old, search), ...lookingLike(text, old)];
}

function heldIn(text: string, old: string, search: SecretSearch): FoundSecret[] {
  const had = search.redact(old).found;
  const news = [...search.redact(text).found].filter(([name, times]) => times > (had.get(name) ?? 0));
  if (news.length === 0) {
    return [];
  }
  const oldLines = new Set(old.split('\n'));
  const lines = text
    .split('\n')
    .map(line => (oldLines.has(line) ? new Map<string, number>() : search.redact(line).found));
  return news.map(([name]) => {
    const line = lines.findIndex(found => found.has(name)) + 1;
    return { name, held: true, ...(line === 0 ? {} : { line }) };
  });
}

function lookingLike(text: string, old: string): FoundSecret[] {
  return matchPatterns(text)
    .filter(({ value }) => !old.includes(value))
    .map(({ name, at }) => ({ name, held: false, line: text.slice(0, at).split('\n').length }));
}

/** Bytes as characters: what is looked for is ASCII. Without the zeros of UTF-16, which would stand between. */
function textOf(content: Buffer): string {
  return content.toString('latin1').replaceAll('\0', '');
}
