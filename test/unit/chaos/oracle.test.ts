import assert from 'node:assert/strict';
import { judge, type Kind, type SessionEvidence } from '../../../chaos/oracle.ts';
import { commandOf } from '../../../chaos/work.ts';
import type { EventBody, EventType } from '../../../protocol/events.ts';
import { doubled, edited, evidence, logged, SECOND, THIRD, twice, withLines, without } from './oracleEvidence.ts';

type Plant = (evidence: SessionEvidence) => SessionEvidence;

describe('oracle of chaos', () => {
  it('finds nothing wrong with a session in which nothing was', () => {
    assert.deepEqual(judge(evidence()), []);
  });

  it('lets a turn that is run once more be stopped', () => {
    assert.deepEqual(judge(logged(rerun(evidence(), 1))), []);
  });

  const events: [what: string, kind: Kind, plant: Plant][] = [
    ['an event that is gone', 'broken', one => ({ ...one, stored: one.stored.toSpliced(5, 1) })],
    ['an event twice', 'broken', one => ({ ...one, stored: one.stored.toSpliced(5, 0, ...one.stored.slice(5, 6)) })],
    ['an event that the client did not get', 'lost', one => ({ ...one, copied: one.copied.slice(0, -1) })],
    ['an event that the client got twice', 'broken', one => ({ ...one, copied: twice(one.copied, 4) })],
    ['a message that is gone', 'lost', one => logged(without(one, 'messageQueued'))],
    ['a message twice', 'duplicated', one => logged(doubled(one, 'messageQueued'))],
    ['a message that the agent took twice', 'duplicated', one => logged(thrice(one, 'messageTaken'))],
    ['a message that the agent never took', 'lost', one => logged(without(one, 'messageTaken'))],
    ['a turn without a checkpoint', 'lost', one => logged(without(one, 'turnFinished'))],
    ['an approval answered twice', 'duplicated', one => logged(doubled(one, 'approvalAnswered'))],
    ['an approval without an answer', 'lost', one => logged(without(one, 'approvalAnswered'))],
    ['a step that did not run', 'broken', one => logged(withoutStep(one, 'toolu_2_2'))],
    ['a step that ran after the turn', 'broken', one => logged(rerun(withoutStep(one, 'toolu_2_3'), 3))],
    ['a tool without an end', 'lost', one => logged(without(one, 'toolFinished'))],
    [
      'an agent that ended by itself',
      'agent',
      one => {
        const end = { type: 'agentEnded', segment: 1, exitCode: 1, expected: false, cause: 'It died.' } as const;
        return logged({ ...one, stored: [...one.stored, ...[1, 2].map(seq => ({ seq, at: 1, body: end }))] });
      },
    ],
    [
      'a call that was refused',
      'lost',
      one => ({
        ...one,
        typed: [
          ...one.typed,
          {
            key: 'key',
            typed: { call: 'session.send', sessionId: one.sessionId, text: 'x' },
            outcome: { kind: 'refused', code: 'internal', message: 'no' },
          },
        ],
      }),
    ],
  ];
  const trees: [what: string, kind: Kind, plant: Plant][] = [
    ['a commit that is gone', 'lost', one => ({ ...one, contents: new Map([...one.contents].slice(1)) })],
    ['an effect that is gone', 'lost', one => withLines(one, SECOND, 'chaos-2.txt', lines => lines.slice(0, -1))],
    ['an effect twice', 'duplicated', one => withLines(one, SECOND, 'chaos-2.txt', lines => twice(lines, 1))],
    ['effects in another order', 'broken', one => withLines(one, SECOND, 'chaos-2.txt', swapped)],
    [
      'the effect of a denied tool',
      'broken',
      one => withLines(one, SECOND, 'chaos-2.txt', lines => [...lines, 'toolu_2_2 2.2']),
    ],
    ['a line that nobody wrote', 'broken', one => withLines(one, SECOND, 'chaos-2.txt', lines => [...lines, 'what'])],
    ['a line that a turn took out', 'broken', one => withLines(one, SECOND, 'chaos-1.txt', lines => lines.slice(1))],
    [
      'a file that was not restored',
      'broken',
      one => withLines(one, THIRD, 'chaos-2.txt', lines => [...lines, 'toolu_2_1 2.1']),
    ],
    [
      'a decision that took something else',
      'broken',
      one => edited(one, 'reviewDecided', body => ({ ...body, accepted: SECOND })),
    ],
  ];
  const deeds: [what: string, kind: Kind, plant: Plant][] = [
    ['a decision that is gone', 'lost', one => logged(edited(one, 'reviewDecided', notice))],
    ['a decision twice', 'duplicated', one => logged(doubled(one, 'reviewDecided'))],
    ['a comment that is gone from the log', 'lost', one => logged(edited(one, 'commentWritten', notice))],
    ['a comment that is gone from the list', 'lost', one => ({ ...one, comments: [] })],
    ['a comment with another text', 'broken', one => ({ ...one, comments: one.comments.map(renamed) })],
    ['a restore without an end', 'lost', one => logged(edited(one, 'restoreFinished', notice))],
    ['a restore that nobody asked for', 'duplicated', one => ({ ...one, typed: one.typed.slice(0, -1) })],
    [
      'an agent that remembers what was set aside',
      'broken',
      one =>
        edited(one, 'textFinished', body =>
          body.type === 'textFinished'
            ? { ...body, text: { text: body.text.text.replace('Remembered: 1.3.', 'Remembered: 1.2.3.') } }
            : body,
        ),
    ],
    [
      'a branch that begins with another log',
      'broken',
      one => {
        const branched = {
          type: 'sessionBranched',
          from: { sessionId: one.sessionId, title: 'x' },
          turn: 3,
          title: 'y',
          by: 'owner',
        } as const;
        return { ...one, stored: [...one.stored, { seq: one.stored.length + 1, at: 1, body: branched }], origin: [] };
      },
    ],
  ];
  for (const [what, kind, plant] of [...events, ...trees, ...deeds]) {
    it(`finds ${what}`, () => {
      const problems = judge(plant(evidence()));
      const kinds = problems.map(problem => problem.kind);
      assert.ok(kinds.includes(kind), `found ${problems.map(({ text }) => text).join(' ') || 'nothing'}`);
    });
  }
});

const notice = () => ({ type: 'noticeRaised', level: 'info', text: 'Nothing.' }) as const;
const swapped = (lines: readonly string[]): string[] => [...lines.slice(0, 1), ...lines.slice(1).toReversed()];
const renamed = <T extends { text: string }>(comment: T): T => ({ ...comment, text: 'other' });

function withoutStep(one: SessionEvidence, toolId: string): SessionEvidence {
  return edited(one, 'toolStarted', body => (body.type === 'toolStarted' && body.toolId === toolId ? notice() : body));
}

/** As after a sandbox that was lost before the checkpoint of the turn; a restore stops it in this step. */
function rerun(one: SessionEvidence, step: number): SessionEvidence {
  const toolId = 'toolu_again';
  const input = { text: JSON.stringify({ command: commandOf(toolId, 2, step) }) };
  const bodies: EventBody[] = [
    { type: 'toolStarted', toolId, name: 'Bash', title: `step ${step}`, input },
    { type: 'toolFinished', toolId, outcome: 'stopped', output: { text: '' } },
  ];
  const after = one.stored.length + 1;
  return { ...one, stored: [...one.stored, ...bodies.map((body, index) => ({ seq: after + index, at: 1, body }))] };
}

/** Once more than a restore explains. */
function thrice(one: SessionEvidence, type: EventType): SessionEvidence {
  return doubled(doubled(one, type), type);
}
