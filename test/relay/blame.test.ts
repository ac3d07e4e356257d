import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { Blamed } from '../../protocol/blame.ts';
import type { SessionState } from '../../protocol/session.ts';
import type { StepInput } from '../support/modelScript.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('where a line comes from', () => {
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const bash = (command: string): StepInput[] => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];
  const blame = async (sessionId: string, path: string, count: number) =>
    (await shop.client.call('review.blame', { sessionId, path, lines: { start: 0, count } })).lines;
  const kinds = (lines: readonly Blamed[]) =>
    lines.map(({ start, count, origin }) => [
      start,
      count,
      origin.kind === 'turn' ? `turn ${origin.turn}` : origin.kind,
    ]);

  it('is the turn and the very tool call, the base, or the reviewer, before and after a review', async () => {
    const id = await shop.begin([
      { tool: 'Read', input: { file_path: 'slug.sh' } },
      {
        tool: 'Edit',
        input: {
          file_path: 'slug.sh',
          old_string: '# Prints the slug of a title.',
          new_string: '# Prints a slug.\n# One line.',
        },
      },
      { text: 'ok' },
    ]);
    await shop.until(id, 'the first turn', idle(1));
    await shop.send(id, bash('echo "# The end" >> slug.sh'));
    await shop.until(id, 'the second turn', idle(2));
    const file = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'slug.sh' });
    await shop.client.call('review.edit', {
      sessionId: id,
      path: 'slug.sh',
      content: Buffer.from(file.content.replace('# One line.', '# My line.')).toString('base64'),
      expected: file.blob,
    });
    const lines = await blame(id, 'slug.sh', 5);
    const expected = [
      [0, 1, 'base'],
      [1, 1, 'turn 1'],
      [2, 1, 'reviewer'],
      [3, 1, 'base'],
      [4, 1, 'turn 2'],
    ];
    assert.deepEqual(kinds(lines), expected);
    const [, first, mine, , last] = lines;
    assert.ok(first?.origin.kind === 'turn' && last?.origin.kind === 'turn');
    assert.deepEqual([first.origin.certain, first.origin.tools.map(({ name }) => name)], [true, ['Edit']]);
    assert.equal(first.origin.itemId, first.origin.tools[0]?.id);
    assert.match(first.origin.prompt, /^Please do this: @@\[\{"tool":"Read"/);
    assert.ok(first.origin.costUsd > 0);
    assert.deepEqual([last.origin.certain, last.origin.tools.map(({ name }) => name)], [false, ['Bash']]);
    assert.match(last.origin.prompt, /The end/);
    assert.deepEqual([mine?.accepted, lines[0]?.accepted], [false, true]);

    const { proposed } = await shop.client.call('session.get', { sessionId: id });
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed });
    await shop.client.call('review.submit', { sessionId: id });
    await shop.until(id, 'the review', idle(3));
    const after = await blame(id, 'slug.sh', 5);
    assert.deepEqual(kinds(after), expected, 'who wrote it does not change when it is handed to the agent');
    assert.deepEqual(after[2]?.origin, { kind: 'reviewer', by: 'owner', submission: 1 });
    assert.deepEqual([after[2]?.accepted, after[2]?.acceptedBy], [true, 'owner']);
  });

  it('is one of several calls where it cannot be told, and no line of a file that is not there', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo other' } },
      { tool: 'Bash', input: { command: 'printf "a\\nb\\n" > new.txt' } },
      { text: 'ok' },
    ]);
    await shop.until(id, 'the turn', idle(1));
    const [line] = await blame(id, 'new.txt', 2);
    assert.ok(line?.origin.kind === 'turn');
    assert.equal(line.count, 2);
    assert.equal(line.origin.certain, false);
    assert.deepEqual(
      line.origin.tools.map(({ title }) => /new\.txt/.test(title)),
      [true, false],
      'the likely one first',
    );
    await assert.rejects(blame(id, 'none.txt', 1), { code: 'not_found' });
  });
});
