import type { CallResult } from '../../protocol/calls.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import type { BlobRef, Payload } from '../../protocol/events.ts';
import { reduceEvents } from '../../protocol/reducer.ts';
import type { Item, SessionState } from '../../protocol/session.ts';
import { sessionMarkdown } from '../../protocol/sessionMarkdown.ts';
import { t } from '../../protocol/text.ts';

export type ExportFormat = 'markdown' | 'json';

export interface ExportedSession {
  /** A name for a file, without folders and signs that a file system minds. */
  name: string;
  mediaType: string;
  text: string;
}

/** Whatever can read the log and what stands outside of it. */
export interface SessionReader {
  /** The next events after a seq; none at the end. */
  readEvents(sessionId: string, after: number): Promise<Pick<CallResult<'session.events'>, 'events' | 'lastSeq'>>;
  /** A part of a blob from an offset on; base64. */
  readBlob(sessionId: string, hash: string, offset: number): Promise<{ content: string }>;
}

/** A payload that is larger stays cut: a document of a gigabyte is of use to nobody. */
const MAX_BLOB_BYTES = 5_000_000;

/** All of a session in one document. @throws `not_found`, and as the calls */
export async function exportSession(
  relay: SessionReader,
  sessionId: string,
  format: ExportFormat,
): Promise<ExportedSession> {
  const state = await wholeSession(relay, sessionId);
  const name = `${fileName(state.title)}-${sessionId.slice(-6)}`;
  return format === 'markdown'
    ? { name: `${name}.md`, mediaType: 'text/markdown', text: sessionMarkdown(state) }
    : {
        name: `${name}.json`,
        mediaType: 'application/json',
        text: `${JSON.stringify({ format: 'sandpiper-session', version: 1, session: await withImages(relay, state) }, null, 2)}\n`,
      };
}

async function wholeSession(relay: SessionReader, sessionId: string): Promise<SessionState> {
  let state: SessionState | undefined;
  for (;;) {
    const { events, lastSeq } = await relay.readEvents(sessionId, state?.seq ?? 0);
    state = reduceEvents(state, events, sessionId);
    if (!state) {
      throw new SandpiperError('not_found', t('This session has no events.'));
    }
    if (events.length === 0 || state.seq >= lastSeq) {
      break;
    }
  }
  const items: Item[] = [];
  for (const item of state.items) {
    items.push(await withTexts(relay, sessionId, item));
  }
  return { ...state, items };
}

async function withTexts(relay: SessionReader, sessionId: string, item: Item): Promise<Item> {
  switch (item.kind) {
    case 'text':
    case 'thinking':
      return { ...item, text: await whole(relay, sessionId, item.text) };
    case 'tool':
      return {
        ...item,
        input: await whole(relay, sessionId, item.input),
        ...(item.output ? { output: await whole(relay, sessionId, item.output) } : {}),
      };
    default:
      return item;
  }
}

/** A payload that is gone stays as far as the log has it: the rest of the session is worth having. */
async function whole(relay: SessionReader, sessionId: string, payload: Payload): Promise<Payload> {
  const { blob } = payload;
  if (!blob || blob.bytes > MAX_BLOB_BYTES || !blob.mediaType.startsWith('text/')) {
    return payload;
  }
  const content = await readBlob(relay, sessionId, blob).catch(() => undefined);
  return content ? { text: new TextDecoder().decode(content) } : payload;
}

type Exported = Omit<SessionState, 'items'> & { items: unknown[] };

/** The images of messages, as base64 beside their names. */
async function withImages(relay: SessionReader, state: SessionState): Promise<Exported> {
  const items: unknown[] = [];
  for (const item of state.items) {
    if (item.kind !== 'message' || !item.images) {
      items.push(item);
      continue;
    }
    const images = await Promise.all(
      item.images.map(async image => {
        const content = await readBlob(relay, state.id, image).catch(() => undefined);
        return content ? { ...image, content: toBase64(content) } : image;
      }),
    );
    items.push({ ...item, images });
  }
  return { ...state, items };
}

async function readBlob(
  relay: SessionReader,
  sessionId: string,
  { hash, bytes }: BlobRef,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(bytes);
  for (let offset = 0; offset < bytes;) {
    const { content } = await relay.readBlob(sessionId, hash, offset);
    const part = Uint8Array.from(atob(content), character => character.charCodeAt(0));
    if (part.length === 0) {
      throw new SandpiperError('not_found', t('A part of the session is missing.'));
    }
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function toBase64(content: Uint8Array): string {
  let binary = '';
  for (const byte of content) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary);
}

function fileName(title: string): string {
  const safe = title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return safe === '' ? 'session' : safe;
}
