import type { Contents } from '../../../chaos/commitFiles.ts';
import type { SessionEvidence } from '../../../chaos/oracle.ts';
import type { Entry } from '../../../chaos/outbox.ts';
import type { SessionPlan } from '../../../chaos/plan.ts';
import { commandOf, effectLine, endText, textOf, type Work } from '../../../chaos/work.ts';
import type { EventBody, EventType, SessionEvent } from '../../../protocol/events.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import { BASE, created, SESSION } from '../sessions/sessionFixtures.ts';

const [FIRST, ACCEPTED] = ['b'.repeat(40), 'd'.repeat(40)];
/** The checkpoints of the second and third turn. */
export const SECOND = 'c'.repeat(40);
export const THIRD = 'e'.repeat(40);
const COMMENT = 'cmt_01234567890123456789012345';

const work = (message: number, tools: number, denied: number[]): Work => ({
  message,
  tools,
  denied,
  paceMs: 5,
  asReview: false,
});
const PLAN: SessionPlan = {
  index: 0,
  permissionMode: 'ask',
  ahead: 1,
  deeds: [],
  messages: [work(1, 1, []), work(2, 3, [2]), work(3, 1, [])],
};

/**
 * A session that went as it should: two turns, of which the first one's file was accepted, a comment, a restore of the first
 * turn, and a third that goes on from there.
 */
export function evidence(): SessionEvidence {
  const [one, two, three] = PLAN.messages.map((planned, index) =>
    turn(planned, [FIRST, SECOND, THIRD][index] ?? '', [[1], [1, 2], [1, 3]][index] ?? []),
  );
  const counts = {
    stats: { files: 1, insertions: 1, deletions: 0 },
    review: { pendingFiles: 1, pending: 1, reviewed: 0 },
  };
  const before: EventBody[] = [created, ...(one ?? []), ...(two ?? [])];
  const [decided, commented, restored] = [1, 2, 3].map(number => before.length + number);
  const target = { kind: 'lines', side: 'proposed', path: 'chaos-1.txt', object: FIRST } as const;
  const lines = { start: 0, count: 1 };
  const stored = numbered([
    ...before,
    {
      type: 'reviewDecided',
      verdict: 'accept',
      files: [{ path: 'chaos-1.txt' }],
      decided: 1,
      accepted: ACCEPTED,
      proposed: SECOND,
      ...counts,
      by: 'owner',
    },
    {
      type: 'commentWritten',
      commentId: COMMENT,
      place: { ...target, lines, quote: 'begin' },
      text: 'Why?',
      by: 'owner',
    },
    { type: 'restoreStarted', turn: 1, code: true, conversation: true, by: 'owner' },
    {
      type: 'restoreFinished',
      restore: restored ?? 0,
      code: { saved: SECOND, checkpoint: FIRST, ...counts },
      conversation: {},
    },
    ...(three ?? []),
  ]);
  const typed = (call: Entry['typed'], answer: { seq?: number; restore?: number; commentId?: string }): Entry => ({
    key: `key_${call.call}`,
    typed: call,
    outcome: { kind: 'acknowledged', answer },
  });
  const sessionId = SESSION;
  return {
    sessionId,
    plan: PLAN,
    stored,
    own: stored,
    copied: structuredClone(stored),
    typed: [
      typed(
        {
          call: 'review.decide',
          sessionId,
          deed: 1,
          params: {
            verdict: 'accept',
            files: [{ path: 'chaos-1.txt' }],
            expected: { accepted: BASE, proposed: SECOND },
          },
        },
        { seq: decided ?? 0 },
      ),
      typed(
        { call: 'review.comment', sessionId, deed: 2, params: { target: { ...target, lines }, text: 'Why?' } },
        { seq: commented ?? 0, commentId: COMMENT },
      ),
      typed(
        {
          call: 'checkpoint.restore',
          sessionId,
          deed: 3,
          params: { turn: 1, code: true, conversation: true, stop: true },
        },
        { restore: restored ?? 0 },
      ),
    ],
    contents: new Map([
      [BASE, contents()],
      [FIRST, contents(effectLine('toolu_1_1', 1, 1))],
      [SECOND, contents(effectLine('toolu_1_1', 1, 1), [effectLine('toolu_2_1', 2, 1), effectLine('toolu_2_3', 2, 3)])],
      [ACCEPTED, contents(effectLine('toolu_1_1', 1, 1))],
      [THIRD, { ...contents(effectLine('toolu_1_1', 1, 1)), 'chaos-0.txt': ['begin', effectLine('toolu_3_1', 3, 1)] }],
    ]),
    comments: [{ id: COMMENT, text: 'Why?', state: 'draft' }],
    agentKills: 0,
  };
}

function contents(first?: string, second: readonly string[] = []): Contents {
  return {
    'chaos-0.txt': ['begin'],
    'chaos-1.txt': ['begin', ...(first === undefined ? [] : [first])],
    'chaos-2.txt': ['begin', ...second],
  };
}

function turn(planned: Work, checkpoint: string, remembered: readonly number[]): EventBody[] {
  const { message } = planned;
  const messageId = `msg_${message}`;
  const steps = Array.from({ length: planned.tools }, (_, index) => index + 1);
  return [
    { type: 'messageQueued', messageId, text: textOf(planned), by: 'owner' },
    { type: 'messageSent', messageId },
    { type: 'turnStarted', turn: message, messageIds: [messageId] },
    { type: 'messageTaken', messageId },
    ...steps.flatMap(step => tool(message, step, planned.denied.includes(step))),
    { type: 'textFinished', itemId: `end${message}`, text: { text: endText(message, remembered) } },
    { type: 'agentFinished', turn: message, outcome: 'completed', usage: NO_USAGE, durationMs: 1 },
    {
      type: 'turnFinished',
      turn: message,
      outcome: 'completed',
      checkpoint,
      changed: true,
      stats: { files: 1, insertions: 1, deletions: 0 },
      review: { pendingFiles: 1, pending: 1, reviewed: 0 },
    },
  ];
}

function tool(message: number, step: number, denied: boolean): EventBody[] {
  const toolId = `toolu_${message}_${step}`;
  const approvalId = `approval_${toolId}`;
  const input = { text: JSON.stringify({ command: commandOf(toolId, message, step) }) };
  const named = { toolId, name: 'Bash', title: `step ${step}`, input };
  return [
    { type: 'toolStarted', ...named },
    { type: 'approvalAsked', approvalId, kind: 'tool', canAlwaysAllow: false, ...named },
    { type: 'approvalAnswered', approvalId, decision: { kind: denied ? 'deny' : 'allow' }, by: 'owner' },
    { type: 'toolFinished', toolId, outcome: denied ? 'denied' : 'ok', output: { text: '' } },
  ];
}

function numbered(bodies: readonly EventBody[]): SessionEvent[] {
  return bodies.map((body, index) => ({ seq: index + 1, at: 1, body }));
}

/** The same events in store and client, numbered without gaps: what is wrong must be found in what they say. */
export function logged(one: SessionEvidence): SessionEvidence {
  const stored = numbered(one.stored.map(({ body }) => body));
  return { ...one, stored, own: stored, copied: structuredClone(stored) };
}

/** Without the last event of a type. */
export function without(one: SessionEvidence, type: EventType): SessionEvidence {
  const at = one.stored.findLastIndex(({ body }) => body.type === type);
  return { ...one, stored: one.stored.toSpliced(at, 1) };
}

/** With the first event of a type twice. */
export function doubled(one: SessionEvidence, type: EventType): SessionEvidence {
  const at = one.stored.findIndex(({ body }) => body.type === type);
  return { ...one, stored: twice(one.stored, at) };
}

/** With others in place of all events of a type. */
export function edited(one: SessionEvidence, type: EventType, edit: (body: EventBody) => EventBody): SessionEvidence {
  return logged({
    ...one,
    stored: one.stored.map(event => (event.body.type === type ? { ...event, body: edit(event.body) } : event)),
  });
}

/** With other lines in a file of a commit. */
export function withLines(
  one: SessionEvidence,
  commit: string,
  path: string,
  change: (lines: readonly string[]) => string[],
): SessionEvidence {
  const files = one.contents.get(commit) ?? {};
  return {
    ...one,
    contents: new Map([...one.contents, [commit, { ...files, [path]: change(files[path] ?? []) }]]),
  };
}

export function twice<T>(list: readonly T[], index: number): T[] {
  return list.toSpliced(index, 0, ...list.slice(index, index + 1));
}
