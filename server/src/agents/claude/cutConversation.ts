import { isRecord } from '../../../../protocol/isRecord.ts';
import type { ConversationParts } from '../agent.ts';
import { uuidOfMessage } from './messageUuid.ts';

/*
 * Claude Code keeps a conversation as a file of JSON lines that only grows. What it was at an earlier time is therefore its
 * beginning, up to the first line of anything that came later.
 */

const NEWLINE = 10;
/** The CLI's own bookkeeping, which names messages before they are part of the conversation. */
const BOOKKEEPING: ReadonlySet<unknown> = new Set(['queue-operation', 'last-prompt']);

/**
 * The conversation without what came later, under another id. A line that cannot be read is left out: the file was written
 * inside a sandbox.
 */
export function cutConversation(content: Uint8Array, later: ConversationParts, conversationId: string): Buffer {
  const uuids = new Set([...later.messageIds].flatMap(id => uuidOfMessage(id) ?? []));
  // The item of a text or thought is named by the model's message and a number.
  const itemIds = new Set([...later.itemIds].flatMap(id => [id, id.replace(/:\d+$/, '')]));
  const kept: string[] = [];
  let isBegun = false;
  for (const row of rowsOf(content)) {
    if (isPartOf(row, uuids, itemIds)) {
      break;
    }
    isBegun ||= row['type'] === 'user' || row['type'] === 'assistant';
    if (!BOOKKEEPING.has(row['type'])) {
      kept.push(`${JSON.stringify('sessionId' in row ? { ...row, sessionId: conversationId } : row)}\n`);
    }
  }
  // Without a message the CLI finds no conversation in it.
  return Buffer.from(isBegun ? kept.join('') : '');
}

function* rowsOf(content: Uint8Array): Generator<Record<string, unknown>> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const row = parse(bytes.toString('utf8', start, end));
    if (isRecord(row)) {
      yield row;
    }
    start = end + 1;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isPartOf(row: Record<string, unknown>, uuids: ReadonlySet<string>, itemIds: ReadonlySet<string>): boolean {
  if (typeof row['uuid'] === 'string' && uuids.has(row['uuid'])) {
    return true;
  }
  const { message } = row;
  if (!isRecord(message)) {
    return false;
  }
  const { id, content } = message;
  const blocks: unknown[] = Array.isArray(content) ? content : [];
  const names = [id, ...blocks.flatMap(block => (isRecord(block) ? [block['id'], block['tool_use_id']] : []))];
  return names.some(name => typeof name === 'string' && itemIds.has(name));
}
