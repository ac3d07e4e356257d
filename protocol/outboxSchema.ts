import * as z from 'zod';
import { messageWaySchema } from './composing.ts';
import { ERROR_CODES, isErrorCode } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { approvalDecisionSchema, approvalIdSchema, sessionIdSchema } from './events.ts';
import { imagesSchema } from './images.ts';
import { idPattern } from './ids.ts';
import type { OutboxEntry } from './outbox.ts';

/* What an entry of the outbox looks like at rest. Apart from outbox.ts, so that a page needs no zod. */

const problemSchema = z.object({
  code: z.custom<ErrorCode>(isErrorCode),
  retryable: z.boolean(),
  message: z.string(),
  hint: z.string().exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});

const entrySchema = z.object({
  key: z.string().regex(idPattern('key')),
  relay: z.string(),
  sessionId: sessionIdSchema,
  typedAt: z.number(),
  content: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('message'),
      text: z.string(),
      way: messageWaySchema.exactOptional(),
      images: imagesSchema.exactOptional(),
    }),
    z.object({ kind: z.literal('answer'), approvalId: approvalIdSchema, decision: approvalDecisionSchema }),
  ]),
  status: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('waiting'), problem: problemSchema.exactOptional() }),
    z.object({ kind: z.literal('sending') }),
    z.object({ kind: z.literal('refused'), problem: problemSchema }),
  ]),
});

const UNREADABLE = {
  code: 'internal',
  retryable: ERROR_CODES.internal.retryable,
  message: 'Why the relay refused this is no longer known.',
} as const;

/**
 * An entry as it was stored.
 * @param status what it is by now, whatever stands in the text
 * @returns undefined when the text is no entry
 */
export function parseOutboxEntry(
  text: string | undefined,
  status: 'waiting' | 'sending' | 'refused',
): OutboxEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    return undefined;
  }
  const entry = parsed.data;
  if (entry.status.kind === status) {
    return entry;
  }
  return { ...entry, status: status === 'refused' ? { kind: status, problem: UNREADABLE } : { kind: status } };
}
