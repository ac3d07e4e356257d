import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { newId } from '../../protocol/ids.ts';
import type { SessionState } from '../../protocol/session.ts';
import { rejects } from '../support/rejects.ts';
import { openTurns, told, type Turns } from '../support/turns.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a session that is branched from a turn', function () {
  this.timeout(180_000);
  let turns: Turns;
  before(async () => {
    turns = await openTurns();
  });
  after(async () => {
    await turns.shop.dispose();
  });

  const patience = { timeoutMs: 60_000 };
  const branch = async (sessionId: string, turn: number, key = newId('key')) =>
    (await turns.shop.client.call('checkpoint.branch', { sessionId, turn, key }, patience)).sessionId;
  const texts = ({ items }: SessionState) => items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));

  it('has the files, the conversation, the transcript and the review of then, and both go on', async () => {
    const { shop, work, next, remembered, files } = turns;
    const id = await work(1);
    const { proposed } = await shop.client.call('session.get', { sessionId: id });
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed });
    await next(id, 2);
    await next(id, 3);
    await writeFile(join(await shop.workspace(id), 'unsaved.txt'), 'of the first session alone');
    const before = await shop.client.call('session.get', { sessionId: id });
    const branched = await branch(id, 2);
    const state = await shop.client.call('session.get', { sessionId: branched });
    assert.deepEqual(texts(state), ['answer 1', 'answer 2']);
    assert.equal(state.phase.kind, 'idle');
    assert.equal(state.usage.costUsd, 0);
    assert.deepEqual(state.branchedFrom, { sessionId: id, title: before.title, turn: 2 });
    assert.equal(state.proposed, before.turns[1]?.checkpoint?.commit);
    const changed = async (sessionId: string) =>
      (await shop.client.call('changes.list', { sessionId })).files.map(({ path }) => path);
    assert.deepEqual(await changed(branched), ['2.txt', 'all.txt'], 'what was accepted in turn 1 still is');

    await next(branched, 3);
    assert.deepEqual(remembered(), told(1, 2, 3));
    assert.deepEqual(await files(branched), ['1.txt', '2.txt', '3.txt', 'all.txt']);
    await next(id, 4);
    assert.deepEqual(remembered(), told(1, 2, 3, 4));
    assert.deepEqual(await files(id), ['1.txt', '2.txt', '3.txt', '4.txt', 'all.txt', 'unsaved.txt']);
    const after = await shop.client.call('session.get', { sessionId: id });
    assert.deepEqual(after.turns.slice(0, 3), before.turns);

    // The branch is whole in itself: its first one may go, and it can go back and be branched too.
    await shop.client.call('session.delete', { sessionId: id }, patience);
    await turns.restore(branched, 1, 'both');
    await shop.until(
      branched,
      'a restore in the branch',
      ({ restores, restoring }) => !restoring && restores?.length === 1,
    );
    await next(branched, 4);
    assert.deepEqual(remembered(), told(1, 4));
    const second = await branch(branched, 4);
    await next(second, 5);
    assert.deepEqual(remembered(), told(1, 4, 5));
    assert.deepEqual(await files(second), ['1.txt', '4.txt', '5.txt', 'all.txt']);
  });

  it('begins at the start, while the other one works, and with a first message', async () => {
    const { shop, work, remembered, files } = turns;
    const id = await work(1);
    // What it asks the model next would hide what the branches remember.
    await shop.send(id, [
      { tool: 'Bash', input: { command: 'until [ -e go ]; do sleep 0.1; done' } },
      { text: 'late' },
    ]);
    await shop.until(id, 'a turn', state => state.turns.length === 2);
    const fresh = await branch(id, 0);
    await turns.next(fresh, 1);
    assert.deepEqual(remembered(), told(1));
    const { sessionId } = await shop.client.call('checkpoint.branch', {
      sessionId: id,
      turn: 1,
      title: 'Another way',
      prompt: 'prompt 2 @@[{"text":"answer 2"}]',
    });
    const state = await shop.until(sessionId, 'its turn', idle(2), 40_000);
    assert.equal(state.title, 'Another way');
    assert.deepEqual(remembered(), told(1, 2));
    assert.deepEqual(await files(sessionId), ['1.txt', 'all.txt']);
    await rejects(branch(id, 7), 'not_found');
    await writeFile(join(await shop.workspace(id), 'go'), '');
    await shop.until(id, 'the other one', idle(2), 40_000);
  });

  it('is made once, whenever the relay is killed', async () => {
    const { shop, work, next, remembered } = turns;
    const id = await work(2);
    const list = async () => (await shop.client.call('session.list', { limit: 500 })).sessions.map(each => each.id);
    const known = await list();
    const has = (name: string) =>
      readdirSync(join(shop.dataFolder, 'mirrors')).some(mirror =>
        existsSync(join(shop.dataFolder, 'mirrors', mirror, 'refs/sandpiper', name, 'turn/1')),
      );
    const points: ((name: string) => boolean)[] = [
      () => true,
      name => existsSync(join(shop.dataFolder, 'conversations', `${name}.jsonl`)),
      has,
    ];
    for (const holds of points) {
      const key = newId('key');
      const branching = branch(id, 1, key);
      const deadline = Date.now() + 20_000;
      while (!holds(key.replace('key_', 'ses_'))) {
        assert.ok(Date.now() < deadline);
        await new Promise(resolve => setImmediate(resolve));
      }
      await shop.relay.stop('SIGKILL');
      await shop.relay.start();
      const branched = await branching;
      assert.equal(await branch(id, 1, key), branched);
      assert.deepEqual(
        (await list()).filter(one => !known.includes(one)),
        [branched],
      );
      known.push(branched);
      await next(branched, 2);
      assert.deepEqual(remembered(), told(1, 2));
    }
    const key = newId('key');
    const branching = branch(id, 2, key);
    await sleep(Math.random() * 60);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const branched = await branching;
    assert.deepEqual(
      (await list()).filter(one => !known.includes(one)),
      [branched],
    );
    await next(branched, 3);
    assert.deepEqual(remembered(), told(1, 2, 3));
  });
});
