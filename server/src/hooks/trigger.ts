import { visibleText } from './untrusted.ts';

/* What a forge may tell that something is done about, in whatever words it says so. Pure. */

interface From {
  /** The page of the repository, by which its forge is found. */
  repositoryUrl: string;
  /** Who did it. */
  by: string;
  isBot: boolean;
}

export interface Issue {
  number: number;
  title: string;
  body: string;
  url: string;
  author: string;
}

/** Something that a forge told and that something may be done about. */
export type Trigger = From &
  (
    | { kind: 'issues'; issue: Issue; labels: Labels; at: string }
    | { kind: 'comments'; issue: Issue; isPull: boolean; comment: { id: number; body: string; url: string } }
    | { kind: 'reviews'; pull: { number: number; url: string }; review: ReviewTrigger }
    | { kind: 'checks'; headCommit: string }
    | { kind: 'close'; pull: { number: number; url: string }; merged: boolean; at: string }
  );

/** The labels that an issue was given. */
export interface Labels {
  names: readonly string[];
  /** Some may have been there before: the forge does not say. */
  unsure?: boolean;
}

/** `body` and `approves` are absent when only one of its comments was told of. */
export interface ReviewTrigger {
  /** Absent where the forge does not say it: the newest one of this person with this body. */
  id?: number;
  url: string;
  body?: string;
  approves?: boolean;
  /** When it was submitted: what was edited later was not seen by whoever asked. */
  at: string;
}

/** The order that a delivery is worked off in, and why not when nothing is ever done about such a one. */
export interface Address {
  action: string | undefined;
  repository: string | undefined;
  lane: string;
  reason?: string;
}

/** What `@sandpiper` is asked to do in a comment; undefined when it is not asked. Only what its readers see asks, and neither what is quoted nor what is code. */
export function commandIn(body: string): { text: string; again: boolean } | undefined {
  const said = visibleText(body)
    .replace(/^(`{3,}|~{3,})[^\n]*\n[^]*?(^\1|(?![^]))/gm, '')
    .replace(/^\s*>.*$/gm, '');
  const [, text] = /(?:^|\s)@sandpiper(?![\w-])([^]*)$/i.exec(said) ?? [];
  if (text === undefined) {
    return undefined;
  }
  const trimmed = text.replace(/^[\s,:]+/, '').trim();
  return { text: trimmed, again: /^again\b/i.test(trimmed) };
}
