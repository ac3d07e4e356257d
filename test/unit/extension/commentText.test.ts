import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Blamed } from '../../../protocol/blame.ts';
import { originText, readPlace } from '../../../extension/src/blame/originText.ts';
import {
  answerOf,
  commentLabel,
  submittedText,
  threadLabel,
  threadsOf,
  type Comment,
} from '../../../protocol/commentText.ts';

const lines = { start: 2, count: 1 };
const place = { kind: 'lines', side: 'proposed', path: 'a.txt', object: 'a'.repeat(40), lines, quote: 'x' } as const;
const comment = (parts: Partial<Comment>): Comment => ({
  id: 'cmt_1',
  at: 0,
  by: 'owner',
  place,
  now: lines,
  text: 'Why?',
  state: 'draft',
  outdated: false,
  resolved: false,
  ...parts,
});

describe('threads of comments', () => {
  it('hold what is on the same lines of the same side; what is outdated stands where it was', () => {
    const moved = comment({ now: { start: 5, count: 1 } });
    const gone = comment({ now: null, outdated: true });

    const other = comment({ place: { ...place, side: 'accepted' } });
    const threads = threadsOf([comment({}), comment({}), moved, gone, other], 'proposed', 'a.txt');
    assert.deepEqual(
      threads.map(thread => [thread.lines.start, thread.comments.length, thread.outdated]),
      [
        [2, 2, false],
        [5, 1, false],
        [2, 1, true],
      ],
    );
    assert.deepEqual(threadsOf([comment({})], 'proposed', 'b.txt'), []);
  });

  it('say in words what their state is', () => {
    const label = (...comments: Comment[]) => threadLabel(threadsOf(comments, 'proposed', 'a.txt')[0] ?? assert.fail());
    assert.equal(label(comment({})), 'Draft');
    assert.equal(label(comment({}), comment({})), '2 drafts');
    assert.equal(label(comment({ state: 'submitted' })), 'Comment to the agent');
    assert.equal(label(comment({ state: 'addressed', resolved: true })), 'Resolved');
    assert.match(label(comment({ state: 'addressed', outdated: true, now: null })), /^Outdated/);
    assert.equal(commentLabel(comment({ state: 'submitted', label: 'C1' })), 'C1 Submitted');
    const answer = { label: 'C1', outcome: 'addressed', text: 'Done', evidence: 'none', turn: 2 } as const;
    assert.deepEqual(answerOf(comment({ state: 'addressed', answer })), {
      title: 'Addressed',
      text: 'Done\n\nNothing in the file changed.',
    });
    assert.equal(answerOf(comment({})), undefined);
    assert.equal(submittedText({ comments: 1, rejections: 2, edits: 0 }), 'Review submitted: 1 comment, 2 rejections');
  });
});

describe('the origin of a line in words', () => {
  const blamed = (origin: Blamed['origin']): Blamed => ({ start: 0, count: 1, origin, accepted: false });
  const turn: Extract<Blamed['origin'], { kind: 'turn' }> = {
    kind: 'turn',
    turn: 2,
    startedAt: 0,
    prompt: 'Do it',
    costUsd: 0.0123,
    tools: [{ id: 't', name: 'Edit', title: 'a.txt' }],
    certain: true,
  };

  it('says what is known, and how well', () => {
    assert.deepEqual(
      originText(blamed(turn), 5 * 60_000).map(({ text }) => text),
      [
        'Written by the agent in turn 2',
        '5 min ago, the turn cost $0.0123. Not reviewed yet.',
        'Do it',
        'With this tool call:',
        'Edit a.txt',
      ],
    );
    const unsure = originText(blamed({ ...turn, certain: false, tools: [...turn.tools, ...turn.tools] }), 0);
    assert.equal(unsure.at(-2)?.text, 'With one of:');
    assert.equal(originText(blamed({ kind: 'base' }), 0)[0]?.text, 'This line was there before the session.');
    assert.match(
      originText(blamed({ kind: 'reviewer', by: 'owner', submission: 3 }), 0)[1]?.text ?? '',
      /with review 3/,
    );
  });

  it('takes only a place of ours from a link', () => {
    const sessionId = `ses_${'a'.repeat(26)}`;
    assert.deepEqual(readPlace({ sessionId, itemId: 'x' }), { sessionId, itemId: 'x' });
    assert.equal(readPlace({ sessionId: '../x', itemId: 'x' }), undefined);
    assert.equal(readPlace('x'), undefined);
  });
});
