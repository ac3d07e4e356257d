import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { setAside } from '../../protocol/checkpoints.ts';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { rejects } from '../support/rejects.ts';
import { agentsOf } from '../support/sandboxProcesses.ts';
import { openTurns, restored, told, type Turns } from '../support/turns.ts';

const asideOf = (state: SessionState, part: 'code' | 'conversation') => [...setAside(state, part)];

describe('a session that goes back to a turn', function () {
  this.timeout(120_000);
  let turns: Turns;
  before(async () => {
    turns = await openTurns();
  });
  after(async () => {
    await turns.shop.dispose();
  });

  it('restores code and conversation, goes on from there, and takes it back', async () => {
    const { shop, work, next, restore, files, all, remembered } = turns;
    const id = await work(3);
    const before = await shop.client.call('session.get', { sessionId: id });
    const workspace = await shop.workspace(id);
    await mkdir(join(workspace, 'node_modules'), { recursive: true });
    await writeFile(join(workspace, 'node_modules/kept'), 'ignored');
    await writeFile(join(workspace, 'unsaved.txt'), 'no turn made this');
    const { restore: first } = await restore(id, 1, 'both');
    const back = await shop.until(id, 'the restore', restored(1));
    assert.deepEqual(await files(id), ['1.txt', 'all.txt']);
    assert.equal(await all(id), '1\n');
    assert.equal(await readFile(join(workspace, 'node_modules/kept'), 'utf8'), 'ignored');
    assert.deepEqual(asideOf(back, 'code'), [2, 3]);
    assert.deepEqual(asideOf(back, 'conversation'), [2, 3]);
    assert.equal(back.proposed, back.turns[0]?.checkpoint?.commit);
    assert.equal(back.accepted, before.accepted);
    assert.equal((await agentsOf(shop, id)).length, 0, 'the agent was ended');

    const fourth = await next(id, 4);
    assert.deepEqual(remembered(), told(1, 4));
    assert.equal(await all(id), '1\n4\n');
    assert.deepEqual(asideOf(fourth, 'conversation'), [2, 3]);

    const { restore: second } = await shop.client.call('checkpoint.undo', { sessionId: id });
    const undone = await shop.until(id, 'the undo', restored(2));
    assert.deepEqual([undone.restores?.[0]?.seq, undone.restores?.[1]?.undoes], [first, first]);
    assert.equal(undone.restores?.[1]?.seq, second);
    assert.equal(await all(id), '1\n2\n3\n');
    assert.deepEqual(asideOf(undone, 'conversation'), [4]);
    assert.deepEqual(await files(id), ['1.txt', '2.txt', '3.txt', 'all.txt', 'unsaved.txt']);
    await next(id, 5);
    assert.deepEqual(remembered(), told(1, 2, 3, 5));

    // A turn that was set aside is as good as any other.
    await restore(id, 4, 'both');
    await shop.until(id, 'the set aside turn', restored(3));
    assert.equal(await all(id), '1\n4\n');
    await next(id, 6);
    assert.deepEqual(remembered(), told(1, 4, 6));
    await restore(id, 0, 'both');
    await shop.until(id, 'the start', restored(4));
    assert.deepEqual(await files(id), []);
    await next(id, 7);
    assert.deepEqual(remembered(), told(7));
    await shop.client.call('checkpoint.undo', { sessionId: id, restore: first });
    await shop.until(id, 'the first undo once more', restored(5));
    await next(id, 8);
    assert.deepEqual(remembered(), told(1, 2, 3, 8), 'what came after it in the same conversation is not there');
  });

  it('restores the code alone, with what is in no checkpoint left as it is', async () => {
    const { shop, work, next, restore, files, remembered } = turns;
    const id = await work(2);
    const workspace = await shop.workspace(id);
    // Larger than a checkpoint takes: nothing else has its content.
    await truncate(join(workspace, '1.txt'), 60_000_000);
    await restore(id, 1, 'code');
    const state = await shop.until(id, 'the restore', restored(1));
    assert.deepEqual(await files(id), ['1.txt', 'all.txt']);
    assert.equal((await stat(join(workspace, '1.txt'))).size, 60_000_000);
    assert.ok(state.items.some(item => item.kind === 'notice' && /1\.txt is not in the checkpoint/.test(item.text)));
    assert.deepEqual([asideOf(state, 'code'), asideOf(state, 'conversation')], [[2], []]);
    await rm(join(workspace, '1.txt'));
    await next(id, 3);
    assert.deepEqual(remembered(), told(1, 2, 3));
  });

  it('restores the conversation alone, also in a sandbox that was made again', async () => {
    const { shop, work, next, restore, files, remembered } = turns;
    const id = await work(3);
    await rm(dirname(await shop.workspace(id)), { recursive: true, force: true, maxRetries: 5 });
    await restore(id, 1, 'conversation');
    const state = await shop.until(id, 'the restore', restored(1), 40_000);
    assert.equal(state.phase.kind, 'idle');
    assert.deepEqual([asideOf(state, 'code'), asideOf(state, 'conversation')], [[], [2, 3]]);
    await next(id, 4);
    assert.deepEqual(remembered(), told(1, 4));
    assert.deepEqual(await files(id), ['1.txt', '2.txt', '3.txt', '4.txt', 'all.txt']);
    await shop.client.call('checkpoint.undo', { sessionId: id });
    await shop.until(id, 'the undo', restored(2));
    await next(id, 5);
    assert.deepEqual(remembered(), told(1, 2, 3, 5));
  });

  it('refuses while the agent works, or stops it and saves what it did', async () => {
    const { shop, work, restore, files } = turns;
    const id = await work(1);
    await shop.send(id, [{ tool: 'Bash', input: { command: 'echo half > half.txt; sleep 60' } }, { text: 'never' }]);
    const written = join(await shop.workspace(id), 'half.txt');
    await eventually(async () => assert.equal(await readFile(written, 'utf8'), 'half\n'), 30_000);
    await rejects(restore(id, 1, 'both'), 'conflict');
    await rejects(restore(id, 9, 'both'), 'not_found');
    await rejects(shop.client.call('checkpoint.undo', { sessionId: id }), 'stale');
    await restore(id, 1, 'both', true);
    const state = await shop.until(id, 'the restore', restored(1), 40_000);
    assert.equal(state.turns[1]?.agent?.outcome, 'stopped');
    assert.deepEqual(await files(id), ['1.txt', 'all.txt']);
    const half = { sessionId: id, side: 'turn:2', path: 'half.txt' };
    assert.equal((await shop.client.call('changes.file', half)).content, 'half\n');
    await shop.client.call('session.archive', { sessionId: id, archived: true });
    await rejects(restore(id, 1, 'both'), 'conflict');
  });

  it('keeps what the reviewer accepted, took out and typed, and gives it back with the undo', async () => {
    const { shop, work, restore } = turns;
    const id = await work(2);
    const seen = await shop.client.call('review.list', { sessionId: id });
    const expected = { accepted: seen.accepted, proposed: seen.proposed };
    await shop.client.call('review.decide', { sessionId: id, verdict: 'accept', files: [{ path: '2.txt' }], expected });
    const { blob } = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: '1.txt' });
    const content = Buffer.from('typed\n').toString('base64');
    await shop.client.call('review.edit', { sessionId: id, path: '1.txt', content, expected: blob });
    const before = await shop.client.call('session.get', { sessionId: id });
    await restore(id, 1, 'code');
    const back = await shop.until(id, 'the restore', restored(1));
    const proposed = async (path: string) =>
      (await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path })).content;
    assert.equal(back.accepted, before.accepted);
    assert.equal(await proposed('1.txt'), 'typed\n');
    assert.equal(await proposed('2.txt'), '');
    await shop.client.call('checkpoint.undo', { sessionId: id });
    const undone = await shop.until(id, 'the undo', restored(2));
    assert.equal(undone.proposed, before.proposed);
    assert.deepEqual(undone.review.pending, before.review.pending);
  });
});
