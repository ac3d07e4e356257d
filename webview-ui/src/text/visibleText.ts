/** A piece of text, or a character that would not be seen and is therefore named. */
export interface TextPart {
  text: string;
  hidden: boolean;
}

// Controls (but tab and newline), formats (bidirectional overrides, zero-width characters, tags), spaces that are none,
// and letters without a glyph.
const HIDDEN = /(?![\t\n ])[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]/gu;

/**
 * Splits text so that everything in it can be seen. What a person is asked to allow must not read differently from what
 * would run, and a direction override or a zero-width character does just that.
 */
export function visibleParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > end) {
      parts.push({ text: text.slice(end, match.index), hidden: false });
    }
    parts.push({ text: name(match[0]), hidden: true });
    end = match.index + match[0].length;
  }
  if (end < text.length || parts.length === 0) {
    parts.push({ text: text.slice(end), hidden: false });
  }
  return parts;
}

function name(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
