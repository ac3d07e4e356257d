import assert from 'node:assert/strict';
import { planThreadsOf, type Comment } from '../../../protocol/commentText.ts';
import { draftsOnPlan, keepPlanningMessage, planIn } from '../../../extension/src/comments/planText.ts';

describe('comments on a plan', () => {
  const comment = (id: string, text: string, more: Partial<Comment> & Pick<Comment, 'place'>): Comment => ({
    id: `cmt_${id}`,
    at: 0,
    by: 'owner',
    now: null,
    text,
    state: 'draft',
    outdated: false,
    resolved: false,
    ...more,
  });
  const plan = (start: number | undefined, count = 1, approvalId = 'p'): Comment['place'] => ({
    kind: 'plan',
    approvalId,
    quote: 'a step\nand more',
    ...(start === undefined ? {} : { lines: { start, count } }),
  });
  const comments = [
    comment('a', 'Later', { place: plan(7, 2) }),
    comment('b', 'Why?\nReally', { place: plan(2) }),
    comment('c', 'sent', { place: plan(1), state: 'submitted' }),
    comment('d', 'other', { place: plan(1, 1, 'q') }),
    comment('e', 'All of it', { place: plan(undefined) }),
  ];

  it('go to the agent in the order of the plan, those of this plan that it was not told', () => {
    assert.equal(
      keepPlanningMessage(draftsOnPlan(comments, 'p'), ' Nearly '),
      [
        'Nearly',
        'Comments on the plan:',
        '1. On the plan: "a step / and more"\n   All of it',
        '2. On line 3: "a step / and more"\n   Why?\n   Really',
        '3. On lines 8 to 9: "a step / and more"\n   Later',
      ].join('\n\n'),
    );
  });

  it('are refused whole when they are too long, not cut', () => {
    const long = [
      comment('a', 'x'.repeat(8000), { place: plan(1) }),
      comment('b', 'y'.repeat(8000), { place: plan(2) }),
    ];
    assert.throws(() => keepPlanningMessage(long, ''), { code: 'too_large' });
  });

  it('stand at their lines, one on the whole at the first', () => {
    assert.deepEqual(
      planThreadsOf(comments, 'p').map(({ lines, comments: said }) => [lines.start, said.length]),
      [
        [7, 1],
        [2, 1],
        [1, 1],
        [0, 1],
      ],
    );
  });

  it('need a plan', () => {
    assert.equal(planIn('{"plan":"# A"}'), '# A');
    assert.deepEqual([planIn('{}'), planIn('no'), planIn('null')], [undefined, undefined, undefined]);
  });
});
