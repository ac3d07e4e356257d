import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventOf } from '../../../protocol/events.ts';
import { chooseTree, refuseUndecided } from '../../../server/src/sessions/landingTree.ts';
import { reviewReport, type LoggedDecision } from '../../../server/src/sessions/reviewReport.ts';

const ACCEPTED = 'a'.repeat(40);
const PROPOSED = 'b'.repeat(40);
const NOTHING_LEFT = { pendingFiles: 0, pending: 0, reviewed: 0, conflicts: [], decisions: [] };

describe('the tree that lands', () => {
  const state = { accepted: ACCEPTED, proposed: PROPOSED, review: NOTHING_LEFT };

  it('is the accepted one when something was accepted, else all, and always the one that was asked for', () => {
    assert.deepEqual(chooseTree(state, true, undefined), { from: 'accepted', commit: ACCEPTED });
    assert.deepEqual(chooseTree(state, false, undefined), { from: 'all', commit: PROPOSED });
    assert.deepEqual(chooseTree(state, true, 'all'), { from: 'all', commit: PROPOSED });
    assert.throws(() => chooseTree(state, false, 'accepted'), { code: 'nothing_to_land', hint: /all changes/ });
  });

  it('is refused while something is undecided, with the counts', () => {
    refuseUndecided(state);
    const review = { ...NOTHING_LEFT, pending: 3, pendingFiles: 2, conflicts: [{ path: 'a' }] };
    assert.throws(() => refuseUndecided({ ...state, review }), {
      code: 'review_pending',
      message: 'There are 3 changes in 2 files not reviewed yet and 1 conflict not decided.',
      details: { pending: 3, pendingFiles: 2, conflicts: 1 },
    });
  });
});

describe('the report of a review', () => {
  const decision = (
    seq: number,
    verdict: EventOf<'reviewDecided'>['verdict'],
    more: Partial<EventOf<'reviewDecided'>> = {},
  ): LoggedDecision => ({
    seq,
    body: {
      type: 'reviewDecided',
      verdict,
      files: [{ path: 'a.txt', hunks: 1 }],
      decided: 1,
      accepted: ACCEPTED,
      proposed: PROPOSED,
      review: { pendingFiles: 0, pending: 0, reviewed: 0 },
      stats: { files: 0, insertions: 0, deletions: 0 },
      by: 'owner',
      ...more,
    },
  });
  const report = (decisions: LoggedDecision[], more: Partial<Parameters<typeof reviewReport>[0]> = {}) =>
    reviewReport({ decisions, pending: [], from: 'accepted', owner: 'Ada', ...more });

  it('says who decided what, by person and by file, and what nobody did', () => {
    const text = report(
      [
        decision(1, 'accept', { files: [{ path: 'a.txt', hunks: 2 }], decided: 2 }),
        decision(2, 'reject'),
        decision(3, 'edit', { files: [{ path: 'b.txt' }] }),
        decision(4, 'accept', { files: [{ path: 'c.txt' }], by: 'grace' }),
      ],
      { pending: [{ path: 'a.txt', hunks: [] }] },
    );
    assert.deepEqual(text, [
      'Reviewed by Ada: 2 accepted, 1 rejected, 1 edited.',
      'Reviewed by grace: 1 accepted.',
      [
        '- `a.txt`: 2 changes accepted, 1 change rejected by Ada; 1 not reviewed',
        '- `b.txt`: edited by Ada',
        '- `c.txt`: accepted by grace',
      ].join('\n'),
      'Not accepted, and so not part of this pull request: 1 change in 1 file (`a.txt`).',
    ]);
  });

  it('leaves out what was taken back, and keeps what was taken back twice', () => {
    const undo = (seq: number, undoes: number) => decision(seq, 'undo', { undoes, files: [] });
    assert.deepEqual(report([decision(1, 'accept'), undo(2, 1)]), ['Nobody has reviewed this change in Sandpiper.']);
    assert.equal(report([decision(1, 'accept'), undo(2, 1), undo(3, 2)])[0], 'Reviewed by Ada: 1 accepted.');
  });

  it('says of unreviewed changes whether they are part of it', () => {
    assert.match(
      report([], { from: 'all', pending: [{ path: 'x', hunks: [] }] }).at(-1) ?? '',
      /^Not reviewed, but part/,
    );
  });

  it('lets no path or name format anything or notify anybody', () => {
    const [who = '', files = ''] = report([decision(1, 'accept', { files: [{ path: 'a`\n\nCloses #5' }] })], {
      owner: '@everybody **x**',
    });
    assert.ok(!who.includes('@e') && !who.includes('**'), who);
    assert.equal(files.split('\n').length, 1);
    assert.equal(files.split('`').length, 3);
  });
});
