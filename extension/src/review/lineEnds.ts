/*
 * The editor knows one end of line for a whole document, so that it writes every line of a file with mixed ends anew. Here
 * the lines that a person did not touch get back the end that they had.
 */

interface Line {
  text: string;
  /** Empty for a last line without one. */
  end: string;
}

/** The bytes to store for what the editor wrote over `before`: nothing differs that nobody typed. */
export function keepLineEnds(before: Uint8Array, written: Uint8Array): Uint8Array {
  // One character a byte, so that every byte comes back as it was.
  const old = splitLines(Buffer.from(before).toString('latin1'));
  if (new Set(old.map(({ end }) => end).filter(end => end !== '')).size < 2) {
    return written;
  }
  const lines = splitLines(Buffer.from(written).toString('latin1'));
  const origins = matchLines(
    old.map(({ text }) => text),
    lines.map(({ text }) => text),
  );
  const text = lines.map((line, index) => {
    const origin = old[origins[index] ?? -1];
    return line.text + (origin === undefined || origin.end === '' || line.end === '' ? line.end : origin.end);
  });
  return Buffer.from(text.join(''), 'latin1');
}

function splitLines(text: string): Line[] {
  return [...text.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)]
    .map(([, line = '', end = '']) => ({ text: line, end }))
    .filter(({ text: line, end }) => line !== '' || end !== '');
}

/** For each new line the old one that it is, or undefined; in order. */
function matchLines(old: readonly string[], lines: readonly string[]): (number | undefined)[] {
  const shorter = Math.min(old.length, lines.length);
  let start = 0;
  while (start < shorter && old[start] === lines[start]) {
    start++;
  }
  let tail = 0;
  while (tail < shorter - start && old[old.length - 1 - tail] === lines[lines.length - 1 - tail]) {
    tail++;
  }
  const places = new Map<string, number[]>();
  for (let index = old.length - tail - 1; index >= start; index--) {
    const text = old[index] ?? '';
    places.set(text, [...(places.get(text) ?? []), index]);
  }
  let next = start;
  return lines.map((text, index) => {
    if (index < start) {
      return index;
    }
    if (index >= lines.length - tail) {
      return index - lines.length + old.length;
    }
    const candidates = places.get(text) ?? [];
    while (candidates.length > 0 && (candidates.at(-1) ?? 0) < next) {
      candidates.pop();
    }
    const found = candidates.pop();
    next = found === undefined ? next : found + 1;
    return found;
  });
}
