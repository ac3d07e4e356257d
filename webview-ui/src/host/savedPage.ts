import type { Image } from '../../../protocol/images.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import type { SavedPage, Unsent } from './host.ts';

const MAX_DRAFTS = 50;

/** What was saved, as far as it is what this version saves. */
export function readSavedPage(value: unknown): SavedPage {
  if (!isRecord(value)) {
    return { drafts: {}, images: {}, unsent: [] };
  }
  const drafts: Record<string, string> = {};
  if (isRecord(value['drafts'])) {
    for (const [id, text] of Object.entries(value['drafts'])) {
      if (typeof text === 'string') {
        drafts[id] = text;
      }
    }
  }
  const images: Record<string, Image[]> = {};
  if (isRecord(value['images'])) {
    for (const [id, some] of Object.entries(value['images'])) {
      if (Array.isArray(some)) {
        images[id] = some.filter(isImage);
      }
    }
  }
  const sessionId = value['sessionId'];
  const unsent = Array.isArray(value['unsent']) ? value['unsent'].filter(isUnsent) : [];
  return {
    drafts,
    images,
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

function isImage(value: unknown): value is Image {
  return isRecord(value) && typeof value['mediaType'] === 'string' && typeof value['content'] === 'string';
}

/** The drafts, of words or of images, with one changed; empty ones go, and so do the oldest of too many. */
export function withDraft<Draft extends string | readonly Image[]>(
  drafts: Record<string, Draft>,
  id: string,
  draft: Draft,
): Record<string, Draft> {
  const { [id]: _old, ...others } = drafts;
  const entries = Object.entries(draft.length === 0 ? others : { ...others, [id]: draft });
  return Object.fromEntries(entries.slice(-MAX_DRAFTS));
}
