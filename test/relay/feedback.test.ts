import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { CallResult } from '../../protocol/calls.ts';
import type { SessionState } from '../../protocol/session.ts';
import type { StepInput } from '../support/modelScript.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

describe('what a reviewer says to the agent', () => {
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const withLines = (changes: Record<number, string>): string[] => LINES.map((line, index) => changes[index] ?? line);
  const bash = (command: string): StepInput[] => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];
  const write = (lines: readonly string[]): string => `printf '%s\\n' ${lines.join(' ')} > list.txt`;
  const list = (sessionId: string) => shop.client.call('review.list', { sessionId });
  const comments = async (sessionId: string) => (await shop.client.call('review.comments', { sessionId })).comments;
  /** A session whose first turn made the list and had it accepted, and whose second changed lines of it. */
  const begin = async (changes: Record<number, string>): Promise<string> => {
    const id = await shop.begin(bash(write(LINES)));
    const { proposed } = await shop.until(id, 'the first turn', idle(1));
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed });
    await shop.send(id, bash(write(withLines(changes))));
    await shop.until(id, 'the second turn', idle(2));
    return id;
  };
  const file = (sessionId: string, side: 'accepted' | 'proposed' = 'proposed') =>
    shop.client.call('changes.file', { sessionId, side, path: 'list.txt' });
  const comment = async (sessionId: string, line: number, text: string, count = 1) => {
    const { blob } = await file(sessionId);
    const target = {
      kind: 'lines',
      side: 'proposed',
      path: 'list.txt',
      object: blob ?? '',
      lines: { start: line, count },
    } as const;
    return (await shop.client.call('review.comment', { sessionId, target, text })).commentId;
  };
  const reject = (sessionId: string, seen: CallResult<'review.list'>, hunk: number, reason?: string) =>
    shop.client.call('review.decide', {
      sessionId,
      verdict: 'reject',
      files: [{ path: 'list.txt', hunks: [seen.files[0]?.hunks[hunk]?.id ?? ''] }],
      ...(reason === undefined ? {} : { reason }),
      expected: { accepted: seen.accepted, proposed: seen.proposed },
    });
  const edit = async (sessionId: string, lines: readonly string[]) =>
    shop.client.call('review.edit', {
      sessionId,
      path: 'list.txt',
      content: Buffer.from(`${lines.join('\n')}\n`).toString('base64'),
      expected: (await file(sessionId)).blob,
    });
  const script = (steps: readonly StepInput[]): string => `@@${JSON.stringify(steps)}`;

  it('keeps drafts in the relay, and their places move with the lines', async () => {
    const id = await begin({ 2: 'THREE' });
    const first = await comment(id, 2, 'Why in capitals?');
    const second = await comment(id, 8, 'And this?');
    const third = await comment(id, 4, 'Never mind.');
    await shop.client.call('review.editComment', { sessionId: id, commentId: second, text: 'And that?' });
    await shop.client.call('review.deleteComment', { sessionId: id, commentId: third });
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    await edit(id, ['zero', ...withLines({ 2: 'THREE' }).slice(0, -1)]);
    assert.deepEqual(
      (await comments(id)).map(({ id: commentId, text, state, now, outdated }) => ({
        commentId,
        text,
        state,
        now,
        outdated,
      })),
      [
        { commentId: first, text: 'Why in capitals?', state: 'draft', now: { start: 3, count: 1 }, outdated: false },
        { commentId: second, text: 'And that?', state: 'draft', now: null, outdated: true },
      ],
    );
    const state = await shop.client.call('session.get', { sessionId: id });
    assert.equal(state.feedback?.comments[0]?.place.quote, 'THREE', 'a second window sees it');
  });

  it('is one message: rejections with reasons, own edits, comments; and every item comes back', async () => {
    const id = await begin({ 0: 'ONE', 2: 'THREE', 6: 'SEVEN', 8: 'NINE' });
    const seen = await list(id);
    await reject(id, seen, 0, 'Keep it small.');
    await reject(id, seen, 3);
    await edit(id, withLines({ 2: 'THREE', 4: 'mine', 6: 'SEVEN' }));
    const asked = await comment(id, 2, 'Write 3.');
    const answers = 'Done.\n\n```review\nC1: addressed - it is 3 now\nR1: declined - it must be large\n```';
    await comment(
      id,
      6,
      `Is this right?\n${script([...bash(write(withLines({ 0: 'ONE', 2: '3', 6: 'SEVEN', 8: 'NINE' }))).slice(0, 1), { text: answers }])}`,
    );
    const submitted = await shop.client.call('review.submit', { sessionId: id, text: 'Almost.' });
    assert.deepEqual(
      { comments: submitted.comments, rejections: submitted.rejections, edits: submitted.edits },
      { comments: 2, rejections: 2, edits: 1 },
    );
    const state = await shop.until(id, 'the answer', idle(3));
    const message = state.items.find(item => item.id === submitted.messageId);
    assert.ok(message?.kind === 'message' && message.submission === 1);
    for (const part of [
      'This is my review of your changes.\n\nAlmost.\n\n# Rejected\n',
      '## R1 list.txt\n\nWhy: Keep it small.\n\n```diff\n@@ -1 +1 @@\n-ONE\n+one\n```\n',
      '## R2 list.txt\n\n```diff\n@@ -9 +9 @@\n-NINE\n+nine\n```\n',
      '## E1 list.txt\n\n```diff\n@@ -5 +5 @@\n-five\n+mine\n```\n',
      '## C1 list.txt, line 3\n\n> THREE\n\nWrite 3.\n',
      '## C2 list.txt, line 7\n\n> SEVEN\n\nIs this right?\n',
      'one line for each of C1, C2, R1, R2:',
    ]) {
      assert.ok(message.text.includes(part), `${part}\n is not in \n${message.text}`);
    }
    const heard = shop.model.requests().findLast(({ prompt }) => prompt.some(text => text.includes('my review')));
    assert.ok(
      heard?.prompt.some(text => text.startsWith(message.text)),
      'the model hears it word for word',
    );
    const items = state.feedback?.submissions[0]?.items.map(({ label, answer }) => [
      label,
      answer?.outcome,
      answer?.text,
      answer?.evidence,
    ]);
    assert.deepEqual(items, [
      ['C1', 'addressed', 'it is 3 now', 'lines'],
      ['C2', 'unanswered', undefined, 'file'],
      ['R1', 'declined', 'it must be large', 'file'],
      ['R2', 'unanswered', undefined, 'file'],
      ['E1', undefined, undefined, undefined],
    ]);
    const [first, other] = await comments(id);
    assert.equal(first?.id, asked);
    assert.deepEqual([first?.state, first?.outdated, other?.state], ['addressed', true, 'unanswered']);
    assert.equal((await file(id)).content, `${withLines({ 2: '3', 4: 'mine', 6: 'SEVEN' }).join('\n')}\n`);
    await assert.rejects(shop.client.call('review.editComment', { sessionId: id, commentId: asked, text: 'x' }), {
      code: 'conflict',
    });
    await shop.client.call('review.resolveComment', { sessionId: id, commentId: asked });
    assert.equal((await comments(id))[0]?.resolved, true);

    // A later turn may come back to what was left open.
    await shop.send(id, [{ text: 'C2: outdated. R2: whatever' }]);
    const later = await shop.until(id, 'the second answer', idle(4));
    assert.deepEqual(
      later.feedback?.comments.map(({ label, answer }) => [label, answer?.outcome, answer?.turn]),
      [
        ['C1', 'addressed', 3],
        ['C2', 'outdated', 4],
      ],
    );
  });

  it('says only what holds in the end, whatever was decided on the way', async () => {
    const id = await begin({ 0: 'ONE', 2: 'THREE', 6: 'SEVEN' });
    const seen = await list(id);
    await reject(id, seen, 0, 'First.');
    await shop.client.call('review.undo', { sessionId: id });
    await reject(id, seen, 1, 'Second.');
    await reject(id, seen, 2, 'Third.');
    await edit(id, withLines({ 0: 'ONE', 6: 'seven!' }));
    await shop.client.call('review.submit', { sessionId: id });
    const state = await shop.until(id, 'the answer', idle(3));
    const { items } = state.feedback?.submissions[0] ?? {};
    assert.deepEqual(
      items?.map(({ label, path, reason, hunks }) => ({ label, path, reason, hunks })),
      [
        { label: 'R1', path: 'list.txt', reason: 'Second.', hunks: 1 },
        { label: 'E1', path: 'list.txt', reason: undefined, hunks: 1 },
      ],
    );
  });

  it('is not sent when there is nothing to say, and a place that is not there is refused', async () => {
    const id = await begin({ 0: 'ONE' });
    await assert.rejects(shop.client.call('review.submit', { sessionId: id }), { code: 'conflict' });
    await assert.rejects(comment(id, 9, 'Past the end.'), { code: 'stale' });
    const target = { kind: 'lines', side: 'proposed', path: 'list.txt', lines: { start: 0, count: 1 } } as const;
    await assert.rejects(
      shop.client.call('review.comment', { sessionId: id, text: 'x', target: { ...target, object: 'a'.repeat(40) } }),
      { code: 'stale' },
    );
    await assert.rejects(
      shop.client.call('review.comment', {
        sessionId: id,
        text: 'x',
        target: { kind: 'plan', approvalId: 'none', quote: '' },
      }),
      { code: 'stale' },
    );
    await comment(id, 0, 'x'.repeat(8000));
    await comment(id, 0, 'x'.repeat(8000));
    await comment(id, 0, 'x'.repeat(8000));
    await assert.rejects(comment(id, 0, 'x'.repeat(8000)), { code: 'too_large' });
  });

  it('is submitted once, when the relay is killed in the middle and asked again', async () => {
    const id = await begin({ 0: 'ONE' });
    await comment(id, 0, 'Small, please.');
    const key = `key_${'s'.repeat(26)}`;
    for (let round = 0; round < 3; round++) {
      const submitting = shop.client.call('review.submit', { sessionId: id, key }, { timeoutMs: 60_000 });
      await shop.relay.stop('SIGKILL');
      await shop.relay.start();
      await submitting;
    }
    await shop.until(id, 'the answer', idle(3), 30_000);
    const events = await shop.events(id);
    assert.equal(events.filter(({ body }) => body.type === 'reviewSubmitted').length, 1);
    assert.equal(events.filter(({ body }) => body.type === 'messageTaken').length, 3);
    assert.equal(events.filter(({ body }) => body.type === 'reviewAnswered').length, 1);
  });
});
