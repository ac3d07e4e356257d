/** The word before the cursor that can be completed. */
export interface Trigger {
  sign: '@' | '/';
  query: string;
  /** Where the sign stands, and where the cursor does. */
  from: number;
  to: number;
}

/** Something that a word can become. */
export interface Suggestion {
  id: string;
  label: string;
  detail?: string;
  /** What comes into the text, when it is known already. */
  insert?: string;
  /** What comes into the text, when it is not. */
  load?: () => Promise<string>;
}

const MAX_QUERY = 200;

/**
 * What the cursor stands behind: a slash with which the message begins, or an at sign with which a word does. An address
 * of mail is none.
 */
export function triggerAt(text: string, cursor: number): Trigger | undefined {
  const before = text.slice(Math.max(0, cursor - MAX_QUERY), cursor);
  const command = cursor <= MAX_QUERY ? /^\/([\w:.-]*)$/.exec(before) : undefined;
  if (command) {
    return { sign: '/', query: command[1] ?? '', from: 0, to: cursor };
  }
  const mention = /(?:^|[\s([{"'`])@([^\s@]*)$/.exec(before);
  const query = mention?.[1];
  return query === undefined ? undefined : { sign: '@', query, from: cursor - query.length - 1, to: cursor };
}

/** The text with the word replaced, and where the cursor then stands. One space follows. */
export function completed(text: string, { from, to }: Trigger, insert: string): { text: string; cursor: number } {
  const after = text.slice(to).replace(/^ /, '');
  const begun = `${text.slice(0, from)}${insert} `;
  return { text: begun + after, cursor: begun.length };
}

/** Those whose label has the query in it, the ones that begin with it first. */
export function matching(suggestions: readonly Suggestion[], query: string, limit: number): Suggestion[] {
  const wanted = query.toLowerCase();
  const has = suggestions.filter(({ label }) => label.toLowerCase().includes(wanted));
  const begins = ({ label }: Suggestion): boolean => label.toLowerCase().replace(/^[@/]/, '').startsWith(wanted);
  return [...has.filter(begins), ...has.filter(each => !begins(each))].slice(0, limit);
}

/** A path as the agent reads it: in quotes when it has a space. */
export function pathMention(path: string): string {
  return /\s/.test(path) ? `@"${path}"` : `@${path}`;
}
