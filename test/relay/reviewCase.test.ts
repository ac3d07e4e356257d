import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('files whose names differ only in case', function () {
  this.timeout(60_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(() => shop.dispose());

  const content = async (sessionId: string, side: 'accepted' | 'proposed', path: string) => {
    const { exists, content: text } = await shop.client.call('changes.file', { sessionId, side, path });
    return exists ? text : undefined;
  };

  it('are reviewed each on its own, also where one became the other', async () => {
    const command = 'echo big > NOTES.txt; echo small > notes.txt; mkdir Docs docs; echo 1 > Docs/a; echo 2 > docs/a';
    const id = await shop.begin([{ tool: 'Bash', input: { command } }, { text: 'ok' }]);
    await shop.until(id, 'the first turn', idle(1));
    const seen = await shop.client.call('review.list', { sessionId: id });
    assert.deepEqual(seen.files.map(({ path }) => path).toSorted(), ['Docs/a', 'NOTES.txt', 'docs/a', 'notes.txt']);
    const decide = async (verdict: 'accept' | 'reject', path: string, { accepted, proposed } = seen) =>
      shop.client.call('review.decide', {
        sessionId: id,
        verdict,
        files: [{ path }],
        expected: { accepted, proposed },
      });
    await decide('accept', 'notes.txt');
    assert.deepEqual(
      [await content(id, 'accepted', 'notes.txt'), await content(id, 'accepted', 'NOTES.txt')],
      ['small\n', undefined],
    );
    const now = await shop.client.call('review.list', { sessionId: id });
    assert.deepEqual(now.files.map(({ path }) => path).toSorted(), ['Docs/a', 'NOTES.txt', 'docs/a']);
    await decide('reject', 'Docs/a', now);
    assert.deepEqual(
      [await content(id, 'proposed', 'docs/a'), await content(id, 'proposed', 'Docs/a')],
      ['2\n', undefined],
    );
    const { entries } = await shop.client.call('changes.folder', { sessionId: id, tree: 'proposed' });
    assert.deepEqual(
      entries.map(({ name }) => name).filter(name => /notes|docs/i.test(name)),
      ['NOTES.txt', 'docs', 'notes.txt'],
    );
    await shop.send(id, [{ tool: 'Bash', input: { command: 'mv NOTES.txt Notes.txt' } }, { text: 'ok' }]);
    await shop.until(id, 'the second turn', idle(2));
    const last = await shop.client.call('review.list', { sessionId: id });
    assert.deepEqual(last.files.map(({ path }) => path).toSorted(), ['Notes.txt', 'docs/a']);
    assert.equal(await content(id, 'accepted', 'notes.txt'), 'small\n');
  });
});
