import { SandpiperError } from './errors.ts';
import type { ErrorCode, WireErrorData } from './errors.ts';
import type { MessageWay } from './composing.ts';
import type { Image } from './images.ts';
import type { ApprovalDecision } from './events.ts';
import { t } from './text.ts';

/** What a person said that must reach the relay, now or when it is back. */
export type OutboxContent =
  | { kind: 'message'; text: string; way?: MessageWay; images?: Image[] }
  | { kind: 'answer'; approvalId: string; decision: ApprovalDecision };

/** A failure as it is kept and shown. */
type OutboxProblem = WireErrorData & { message: string };

/**
 * How far an entry got. What never left can be taken back; what left once cannot, for the relay may have it.
 */
export type OutboxStatus =
  /** Has not left. `problem` says why the last attempt failed, for certain without an effect. */
  | { kind: 'waiting'; problem?: OutboxProblem }
  /** Left at least once and was not answered: it is sent again with the same key until it is. */
  | { kind: 'sending' }
  /** The relay has it, as the event `seq` of the session. */
  | { kind: 'accepted'; seq: number }
  /** The relay will not take it as it is. It stays until the person edits, sends again or discards it. */
  | { kind: 'refused'; problem: OutboxProblem };

export interface OutboxEntry {
  /** Idempotency key of the call (I3), made when the entry was typed. */
  key: string;
  /** Which relay it is meant for; it is never sent to another. */
  relay: string;
  sessionId: string;
  /** Milliseconds since the epoch, and larger than that of any entry before: what was typed later goes out later. */
  typedAt: number;
  content: OutboxContent;
  status: OutboxStatus;
}

/** What a call makes of a message. */
export function messageOf({
  kind: _kind,
  ...message
}: Extract<OutboxContent, { kind: 'message' }>): Omit<Extract<OutboxContent, { kind: 'message' }>, 'kind'> {
  return message;
}

/** The time for an entry that is typed now. A clock that was set back does not change the order. */
export function typedAtAfter(entries: readonly OutboxEntry[], nowMs: number): number {
  return entries.reduce((latest, entry) => Math.max(latest, entry.typedAt + 1), nowMs);
}

/** In the order in which they were typed. */
export function inOrder(entries: Iterable<OutboxEntry>): OutboxEntry[] {
  return [...entries].sort((one, other) => one.typedAt - other.typedAt || (one.key < other.key ? -1 : 1));
}

/** What may go to a relay now: of each session the oldest entry that it has not taken. A refused one holds nothing up. */
export function dueEntries(entries: readonly OutboxEntry[], relay: string): OutboxEntry[] {
  const due = new Map<string, OutboxEntry>();
  for (const entry of entries) {
    if (entry.relay === relay && isOpen(entry) && !due.has(entry.sessionId)) {
      due.set(entry.sessionId, entry);
    }
  }
  return [...due.values()];
}

/** Whether the relay still has to be asked. */
export function isOpen({ status }: OutboxEntry): boolean {
  return status.kind === 'waiting' || status.kind === 'sending';
}

/**
 * An answer to this approval that the relay has or may still take. One that it refused is none: the person may answer
 * anew.
 */
export function answerTo(
  entries: readonly OutboxEntry[],
  sessionId: string,
  approvalId: string,
): OutboxEntry | undefined {
  return entries.find(
    ({ content, status, ...entry }) =>
      entry.sessionId === sessionId &&
      content.kind === 'answer' &&
      content.approvalId === approvalId &&
      status.kind !== 'refused',
  );
}

/** Why a second answer to an approval is not taken. */
export function alreadyAnswered(): SandpiperError {
  return new SandpiperError('conflict', t('You have answered this already.'), {
    hint: t('Take that answer back first, if it has not gone out.'),
  });
}

/**
 * The status after an attempt failed.
 * - nobody knows whether the relay has it: stays `sending`
 * - the relay refused this time only, or refused the connection and not the entry: `waiting`
 * - the relay refused the entry: `refused`
 */
export function statusAfterFailure(error: SandpiperError): OutboxStatus {
  if (UNKNOWN_OUTCOME.has(error.code)) {
    return { kind: 'sending' };
  }
  const problem = toOutboxProblem(error);
  return error.retryable || OF_CONNECTION.has(error.code) ? { kind: 'waiting', problem } : { kind: 'refused', problem };
}

const UNKNOWN_OUTCOME: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['disconnected', 'timeout']);
/** These say something of the client, whatever it asks. */
const OF_CONNECTION: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unauthorized',
  'forbidden',
  'version_mismatch',
  'not_initialized',
]);

function toOutboxProblem(error: SandpiperError): OutboxProblem {
  return { ...error.toWire(), message: error.message };
}

/** Why an entry cannot be taken back. */
export function alreadyGone(): SandpiperError {
  return new SandpiperError('conflict', t('It has gone out already, so it cannot be taken back.'), {
    hint: t('Write another message, or stop the turn.'),
  });
}
