import { isRecord } from '../../../protocol/isRecord.ts';
import type { SavedPage, Unsent } from './host.ts';

const MAX_DRAFTS = 50;

/** What was saved, as far as it is what this version saves. */
export function readSavedPage(value: unknown): SavedPage {
  if (!isRecord(value)) {
    return { drafts: {}, unsent: [] };
  }
  const drafts: Record<string, string> = {};
  if (isRecord(value['drafts'])) {
    for (const [id, text] of Object.entries(value['drafts'])) {
      if (typeof text === 'string') {
        drafts[id] = text;
      }
    }
  }
  const sessionId = value['sessionId'];
  const unsent = Array.isArray(value['unsent']) ? value['unsent'].filter(isUnsent) : [];
  return {
    drafts,
    unsent,
    ...(typeof sessionId === 'string' ? { sessionId } : {}),
    ...(value['focus'] === true ? { focus: true } : {}),
  };
}

function isUnsent(value: unknown): value is Unsent {
  return (
    isRecord(value) &&
    typeof value['key'] === 'string' &&
    typeof value['sessionId'] === 'string' &&
    typeof value['text'] === 'string'
  );
}

/** The drafts with one changed; empty ones go, and so do the oldest of too many. */
export function withDraft(drafts: Record<string, string>, id: string, text: string): Record<string, string> {
  const { [id]: _old, ...others } = drafts;
  const entries = Object.entries(text === '' ? others : { ...others, [id]: text });
  return Object.fromEntries(entries.slice(-MAX_DRAFTS));
}
