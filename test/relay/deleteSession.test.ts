import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { agentProcesses } from '../support/agentProcesses.ts';
import { eventually } from '../support/eventually.ts';
import { plainGit } from '../support/plainGit.ts';
import { rejects } from '../support/rejects.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a session that is deleted', function () {
  this.timeout(90_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const archives = () => join(shop.dataFolder, 'archives');
  const remove = (sessionId: string, force = false) => shop.client.call('session.delete', { sessionId, force });

  async function refs(sessionId: string): Promise<string> {
    const [mirror = ''] = await readdir(join(shop.dataFolder, 'mirrors'));
    return plainGit(join(shop.dataFolder, 'mirrors', mirror), ['for-each-ref', `refs/sandpiper/${sessionId}`]);
  }

  it('leaves nothing behind, and comes back with all that it had', async () => {
    const large = 'x'.repeat(100_000);
    const id = await shop.begin([
      { tool: 'Bash', input: { command: `printf ${large}; echo one > committed.txt; git branch agents-own` } },
      { text: 'done' },
    ]);
    const before = await shop.until(id, 'one turn', idle(1));
    const workspace = await shop.workspace(id);
    // What the last checkpoint does not have: a change, a new file, ignored ones, a commit and a stash of the agent's own.
    await writeFile(join(workspace, 'committed.txt'), 'two\n');
    await writeFile(join(workspace, '.gitignore'), 'ignored/\n.env\n');
    await writeFile(join(workspace, '.env'), 'SECRET=1\n', { mode: 0o600 });
    await mkdir(join(workspace, 'ignored/deep'), { recursive: true });
    await writeFile(join(workspace, 'ignored/deep/with space\nand line'), 'kept');
    await mkdir(join(workspace, 'empty'));
    const events = await shop.events(id);
    const removed: string[] = [];
    const listening = shop.client.onNotification('session.removed', ({ sessionId }) => removed.push(sessionId));

    const deleted = await remove(id);

    assert.deepEqual(deleted.missing, []);
    assert.ok(Math.abs(deleted.restorableUntil - deleted.deletedAt - 30 * 86_400_000) < 1);
    await eventually(() => assert.deepEqual(removed, [id]));
    listening.dispose();
    await rejects(shop.client.call('session.get', { sessionId: id }), 'not_found');
    assert.equal(existsSync(workspace), false, 'the sandbox is gone');
    assert.deepEqual(await readdir(join(shop.dataFolder, 'run')), []);
    assert.deepEqual(await readdir(join(shop.dataFolder, 'conversations')), []);
    assert.equal(await refs(id), '');
    const files = await readdir(archives(), { recursive: true, withFileTypes: true });
    for (const file of files.filter(entry => entry.isFile())) {
      assert.equal((await stat(join(file.parentPath, file.name))).mode & 0o777, 0o600, file.name);
    }
    assert.deepEqual(await remove(id), deleted, 'deleting it again is done already');
    const { sessions } = await shop.client.call('session.listDeleted', {});
    assert.deepEqual(
      sessions.map(entry => [entry.summary.id, entry.restorableUntil]),
      [[id, deleted.restorableUntil]],
    );

    await shop.client.call('session.restore', { sessionId: id });

    assert.deepEqual((await shop.client.call('session.listDeleted', {})).sessions, []);
    const restored = await shop.client.call('session.get', { sessionId: id });
    assert.equal(restored.archived, false);
    assert.equal(restored.proposed, before.proposed);
    assert.deepEqual((await shop.events(id)).slice(0, events.length), events);
    const blob = JSON.stringify(events).match(/"hash":"([0-9a-f]{64})"/)?.[1] ?? '';
    assert.ok((await shop.client.call('blob.read', { sessionId: id, hash: blob })).bytes > 100_000);
    assert.match(await refs(id), /turn\/1/);
    assert.equal((await shop.client.call('changes.list', { sessionId: id, from: 'base' })).files.length, 1);

    await shop.send(id, [
      {
        tool: 'Bash',
        input: { command: 'cat committed.txt .env ignored/deep/*; ls -d empty; git branch --list agents-own' },
      },
      { text: 'seen' },
    ]);
    const state = await shop.until(id, 'a second turn', idle(2), 30_000);
    const output = state.items.findLast(item => item.kind === 'tool')?.output?.text ?? '';
    assert.match(output, /^two\nSECRET=1\nkeptempty\n {2}agents-own$/);
    assert.equal(state.turns[1]?.agent?.outcome, 'completed');
    const started = (await shop.events(id)).findLast(({ body }) => body.type === 'agentStarted')?.body;
    assert.ok(started?.type === 'agentStarted' && started.resumed, 'the conversation was resumed');
  });

  it('ends the agent in the middle of its turn, and keeps what this did', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo half > half.txt; sleep 60' } },
      { text: 'no' },
    ]);
    await shop.until(id, 'the tool runs', state => state.items.some(item => item.kind === 'tool'));
    const half = join(await shop.workspace(id), 'half.txt');
    await eventually(async () => assert.equal(await readFile(half, 'utf8'), 'half\n'));
    await remove(id);
    assert.deepEqual(await agentProcesses(shop, id).catch(() => []), []);
    const { seq } = await shop.client.call('session.restore', { sessionId: id });
    const state = await shop.until(id, 'restored', ({ seq: last }) => last === seq);
    assert.equal(state.turns[0]?.agent?.outcome, 'stopped');
    const file = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'half.txt' });
    assert.equal(file.content, 'half\n');
  });

  it('was never prepared', async () => {
    const id = await shop.begin([{ text: 'hello' }]);
    await remove(id);
    await shop.client.call('session.restore', { sessionId: id });
    await shop.until(id, 'its turn', idle(1), 30_000);
  });

  it('is not deleted when it cannot be archived, unless by force', async () => {
    const id = await shop.begin([{ text: 'hello' }]);
    await shop.until(id, 'one turn', idle(1));
    const workspace = await shop.workspace(id);
    // A sandbox that lacks one of its folders cannot be entered.
    await rename(join(workspace, '../home'), join(workspace, '../home-away'));
    await rejects(remove(id), 'sandbox_unavailable');
    const state = await shop.client.call('session.get', { sessionId: id });
    assert.equal(state.archived, false);
    const notice = state.items.findLast(item => item.kind === 'notice');
    assert.match(notice?.text ?? '', /^This session was not deleted/);
    assert.ok(existsSync(workspace));
    const { missing } = await remove(id, true);
    assert.equal(missing.length, 1);
    await shop.client.call('session.restore', { sessionId: id });
    const restored = await shop.client.call('session.get', { sessionId: id });
    assert.match(JSON.stringify(restored.items.at(-1)), /Not restored: What was in the sandbox/);
  });

  it('with a damaged archive stays deleted, and says so', async () => {
    const id = await shop.begin([{ text: 'hello' }]);
    await shop.until(id, 'one turn', idle(1));
    await remove(id);
    const manifest = await readFile(join(archives(), 'sessions', `${id}.json`), 'utf8');
    const hash = /"events":\{"hash":"([0-9a-f]{64})"/.exec(manifest)?.[1] ?? '';
    const part = join(archives(), 'parts', hash);
    const content = await readFile(part);
    await writeFile(part, Buffer.from(content.map((byte, index) => (index === 20 ? byte ^ 1 : byte))));
    await assert.rejects(shop.client.call('session.restore', { sessionId: id }), /archive is damaged/);
    await rejects(shop.client.call('session.get', { sessionId: id }), 'not_found');
    await writeFile(part, content);
    await shop.client.call('session.restore', { sessionId: id });
    await shop.client.call('session.get', { sessionId: id });
  });
});
