import type { Payload } from '../../../protocol/events.ts';
import type { BlobStore } from '../store/store.ts';

/** What a check printed stands in the log up to this length; of more than that the end does, and all of it is a blob. */
const MAX_INLINE_CHARS = 8192;
const END_CHARS = 4096;

/** A text of which the end says most. */
export async function endPayload(text: string, blobs: BlobStore): Promise<Payload> {
  if (text.length <= MAX_INLINE_CHARS) {
    return { text };
  }
  const { hash, bytes } = await blobs.put(Buffer.from(text, 'utf8'));
  // Never half a surrogate pair.
  const end = text.slice(-END_CHARS).replace(/^[\uDC00-\uDFFF]/, '');
  return { text: end, blob: { hash, bytes, mediaType: 'text/plain; charset=utf-8' } };
}
