import assert from 'node:assert/strict';
import { judge, type Kind, type SessionEvidence } from '../../../chaos/oracle.ts';
import type { SessionPlan } from '../../../chaos/plan.ts';
import { commandOf, effectLine, textOf } from '../../../chaos/work.ts';
import type { EventBody, EventType, SessionEvent } from '../../../protocol/events.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import { created } from '../sessions/sessionFixtures.ts';

const PLAN: SessionPlan = {
  index: 0,
  permissionMode: 'ask',
  ahead: 1,
  messages: [
    { message: 1, tools: 2, paceMs: 5, denied: [2] },
    { message: 2, tools: 1, paceMs: 5, denied: [] },
  ],
};

describe('oracle of chaos', () => {
  it('finds nothing wrong with a session in which nothing was', () => {
    assert.deepEqual(judge(evidence()), []);
  });

  const planted: [what: string, kind: Kind, plant: (evidence: SessionEvidence) => SessionEvidence][] = [
    ['an event that is gone', 'broken', one => ({ ...one, stored: one.stored.toSpliced(5, 1) })],
    ['an event twice', 'broken', one => ({ ...one, stored: one.stored.toSpliced(5, 0, ...one.stored.slice(5, 6)) })],
    ['an event that the client did not get', 'lost', one => ({ ...one, copied: one.copied.slice(0, -1) })],
    ['an event that the client got twice', 'broken', one => ({ ...one, copied: twice(one.copied, 4) })],
    ['a message that is gone', 'lost', one => logged(without(one, 'messageQueued'))],
    ['a message twice', 'duplicated', one => logged(doubled(one, 'messageQueued'))],
    ['a message that the agent took twice', 'duplicated', one => logged(doubled(one, 'messageTaken'))],
    ['a message that the agent never took', 'lost', one => logged(without(one, 'messageTaken'))],
    ['a turn without a checkpoint', 'lost', one => logged(without(one, 'turnFinished'))],
    ['an approval answered twice', 'duplicated', one => logged(doubled(one, 'approvalAnswered'))],
    ['an approval without an answer', 'lost', one => logged(without(one, 'approvalAnswered'))],
    ['a tool without an end', 'lost', one => logged(without(one, 'toolFinished'))],
    ['an effect that is gone', 'lost', one => ({ ...one, effects: lines(one).slice(1).join('\n') })],
    ['an effect twice', 'duplicated', one => ({ ...one, effects: [...lines(one), lines(one)[0]].join('\n') })],
    ['effects in another order', 'broken', one => ({ ...one, effects: lines(one).toReversed().join('\n') })],
    [
      'the effect of a denied tool',
      'broken',
      one => ({ ...one, effects: [...lines(one), effectLine('toolu_1_2', 1, 2)].join('\n') }),
    ],
    ['a line that nobody wrote', 'broken', one => ({ ...one, effects: `${one.effects}\nwhat` })],
    ['an agent that ended by itself', 'agent', one => logged(withEnd(one))],
    [
      'a call that was refused',
      'lost',
      one => ({
        ...one,
        typed: [
          {
            key: 'key',
            typed: { call: 'session.send', sessionId: one.sessionId, text: 'x' },
            outcome: { kind: 'refused', code: 'internal', message: 'no' },
          },
        ],
      }),
    ],
  ];
  for (const [what, kind, plant] of planted) {
    it(`finds ${what}`, () => {
      const kinds = judge(plant(evidence())).map(problem => problem.kind);
      assert.ok(kinds.includes(kind), `found ${kinds.join(', ') || 'nothing'}`);
    });
  }
});

/** A session that went as it should. */
function evidence(): SessionEvidence {
  const stored = number(PLAN.messages.flatMap(turn), [created]);
  return {
    sessionId: 'ses_1',
    plan: PLAN,
    stored,
    copied: structuredClone(stored),
    typed: [],
    effects: [effectLine('toolu_1_1', 1, 1), effectLine('toolu_2_1', 2, 1)].join('\n'),
    agentKills: 0,
  };
}

function turn(work: SessionPlan['messages'][number]): EventBody[] {
  const messageId = `msg_${work.message}`;
  const number = work.message;
  return [
    { type: 'messageQueued', messageId, text: textOf(work), by: 'owner' },
    { type: 'messageSent', messageId },
    { type: 'turnStarted', turn: number, messageIds: [messageId] },
    { type: 'messageTaken', messageId },
    ...Array.from({ length: work.tools }, (_, index) =>
      tool(number, index + 1, work.denied.includes(index + 1)),
    ).flat(),
    { type: 'agentFinished', turn: number, outcome: 'completed', usage: NO_USAGE, durationMs: 1 },
    {
      type: 'turnFinished',
      turn: number,
      outcome: 'completed',
      checkpoint: 'b'.repeat(40),
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

function number(bodies: readonly EventBody[], first: readonly EventBody[] = []): SessionEvent[] {
  return [...first, ...bodies].map((body, index) => ({ seq: index + 1, at: 1, body }));
}

/** The same events in store and client, numbered without gaps: what is wrong must be found in what they say. */
function logged(one: SessionEvidence): SessionEvidence {
  const stored = number(one.stored.map(({ body }) => body));
  return { ...one, stored, copied: structuredClone(stored) };
}

function without(one: SessionEvidence, type: EventType): SessionEvidence {
  return {
    ...one,
    stored: one.stored.toSpliced(
      one.stored.findLastIndex(({ body }) => body.type === type),
      1,
    ),
  };
}

function doubled(one: SessionEvidence, type: EventType): SessionEvidence {
  return {
    ...one,
    stored: twice(
      one.stored,
      one.stored.findIndex(({ body }) => body.type === type),
    ),
  };
}

function withEnd(one: SessionEvidence): SessionEvidence {
  const body: EventBody = { type: 'agentEnded', segment: 1, exitCode: 1, expected: false, cause: 'It died.' };
  return { ...one, stored: [...one.stored, { seq: 0, at: 1, body }] };
}

function twice(events: readonly SessionEvent[], index: number): SessionEvent[] {
  return events.toSpliced(index, 0, ...events.slice(index, index + 1));
}

function lines({ effects }: SessionEvidence): string[] {
  return effects.split('\n');
}
