import { foldTag } from './tags.ts';
import type { SessionSummary } from './session.ts';
import { groupOf, type SessionGroupId } from './sessionGroup.ts';
import { t } from './text.ts';

/*
 * What a person types to find sessions, the same in the editor, in the browser and on the command line: words, and
 * `tag:`, `repo:` and `state:` with a value. All must fit; of several states or repositories one is enough.
 */

/** The words for `state:`, as a person types them. */
export const STATE_WORDS: Readonly<Record<string, SessionGroupId>> = {
  'needs-you': 'needsYou',
  running: 'running',
  ready: 'ready',
  done: 'done',
  archived: 'archived',
};

export interface SessionFilter {
  words: string[];
  tags: string[];
  repositories: string[];
  states: SessionGroupId[];
  pinned: boolean;
  /** Why a part of the text says nothing; the rest holds. */
  problems: string[];
}

/** Quotes keep spaces: `repo:"my shop"`. */
const PART = /(?:(tag|repo|state|is):)?(?:"([^"]*)"|(\S+))/giu;

export function parseFilter(text: string): SessionFilter {
  const filter: SessionFilter = { words: [], tags: [], repositories: [], states: [], pinned: false, problems: [] };
  for (const [, name, quoted, bare] of text.matchAll(PART)) {
    const value = (quoted ?? bare ?? '').trim();
    if (value !== '') {
      addPart(filter, name?.toLowerCase(), value);
    }
  }
  return filter;
}

function addPart(filter: SessionFilter, name: string | undefined, value: string): void {
  switch (name) {
    case undefined:
      filter.words.push(value.toLowerCase());
      break;
    case 'tag':
      filter.tags.push(foldTag(value));
      break;
    case 'repo':
      filter.repositories.push(value.toLowerCase());
      break;
    case 'state': {
      const state = Object.hasOwn(STATE_WORDS, value.toLowerCase()) ? STATE_WORDS[value.toLowerCase()] : undefined;
      if (state) {
        filter.states.push(state);
      } else {
        filter.problems.push(t('There is no state "{0}"; there is {1}.', value, Object.keys(STATE_WORDS).join(', ')));
      }
      break;
    }
    default:
      if (value.toLowerCase() === 'pinned') {
        filter.pinned = true;
      } else {
        filter.problems.push(t('"is:" knows only "is:pinned".'));
      }
  }
}

/** Whether it leaves every session in the list. */
export function isEmptyFilter({ words, tags, repositories, states, pinned }: SessionFilter): boolean {
  return !pinned && words.length + tags.length + repositories.length + states.length === 0;
}

export function fitsFilter(summary: SessionSummary, filter: SessionFilter): boolean {
  const { repository } = summary;
  const tags = new Set((summary.tags ?? []).map(foldTag));
  const text = [summary.title, repository.name, repository.branch ?? '', summary.id, ...tags].join('\n').toLowerCase();
  return (
    filter.words.every(word => text.includes(word)) &&
    filter.tags.every(tag => tags.has(tag)) &&
    (filter.repositories.length === 0 ||
      filter.repositories.some(name => repository.name.toLowerCase().includes(name))) &&
    (filter.states.length === 0 || filter.states.includes(groupOf(summary))) &&
    (!filter.pinned || summary.pinned === true)
  );
}

/** A part of a filter as text. */
export function filterPart(name: 'tag' | 'repo' | 'state' | 'is', value: string): string {
  return /[\s"]/.test(value) ? `${name}:"${value.replaceAll('"', '')}"` : `${name}:${value}`;
}
