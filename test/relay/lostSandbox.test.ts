import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { agentsOf, sandboxProcesses } from '../support/sandboxProcesses.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const said = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));
const notices = (state: SessionState) => state.items.flatMap(item => (item.kind === 'notice' ? [item.text] : []));

describe('a session whose sandbox is destroyed', function () {
  this.timeout(120_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  /** Takes a sandbox away at once; piece by piece, some of it would still be there when it is looked for. */
  async function destroy(folder: string): Promise<void> {
    const away = join(shop.folder, `away-${basename(folder)}`);
    await rename(folder, away);
    await rm(away, { recursive: true, force: true, maxRetries: 5 });
  }

  const FIRST = [{ tool: 'Bash', input: { command: 'echo one > one.txt' } }, { text: 'The first turn is a zebra.' }];
  const fileOf = async (sessionId: string, path: string) =>
    (await shop.client.call('changes.file', { sessionId, side: 'proposed', path })).content;
  /** What the agent's own record of the conversation says in the sandbox that the session has now. */
  async function remembered(id: string): Promise<string> {
    const projects = join(dirname(await shop.workspace(id)), 'home', '.claude', 'projects');
    const files = (await readdir(projects, { recursive: true })).filter(name => name.endsWith('.jsonl'));
    return (await Promise.all(files.map(name => readFile(join(projects, name), 'utf8')))).join('');
  }

  it('goes on from the last checkpoint with the same conversation when it was idle', async () => {
    const id = await shop.begin(FIRST);
    await shop.until(id, 'one turn', idle(1), 40_000);
    const [old] = await agentsOf(shop, id);
    await destroy(dirname(await shop.workspace(id)));
    await shop.send(id, [{ tool: 'Bash', input: { command: 'cp one.txt two.txt' } }, { text: 'second' }]);
    const state = await shop.until(id, 'the second turn', idle(2), 60_000);
    assert.equal(await fileOf(id, 'two.txt'), 'one\n', 'the work of the first turn was there');
    assert.deepEqual(said(state), ['The first turn is a zebra.', 'second']);
    assert.match(await remembered(id), /zebra/);
    assert.ok(
      notices(state).some(text => /no longer exists\. It is made again from the checkpoint of turn 1/.test(text)),
    );
    assert.ok(old !== undefined && !(await sandboxProcesses(shop, id)).some(({ pid }) => pid === old));
  });

  it('begins a lost turn anew, once, and says what is lost', async () => {
    const id = await shop.begin(FIRST);
    await shop.until(id, 'one turn', idle(1), 40_000);
    const slow = 'echo two > two.txt; sleep 2; cat one.txt two.txt > three.txt';
    await shop.send(id, [{ tool: 'Bash', input: { command: slow } }, { text: 'second' }]);
    const workspace = await shop.workspace(id);
    await eventually(() => readFile(join(workspace, 'two.txt')), 30_000);
    await destroy(dirname(workspace));
    const state = await shop.until(id, 'the turn anew', idle(3), 60_000);
    assert.deepEqual(
      state.turns.map(turn => turn.agent?.outcome),
      ['completed', 'failed', 'completed'],
    );
    assert.deepEqual(said(state), ['The first turn is a zebra.', 'second']);
    assert.equal(await fileOf(id, 'three.txt'), 'one\ntwo\n');
    assert.ok(notices(state).some(text => text.includes('What turn 2 changed is lost')));
    assert.equal(state.items.filter(item => item.kind === 'message').length, 2);
    assert.equal((await agentsOf(shop, id)).length, 1, 'one agent');
  });

  for (const done of [0, 1]) {
    it(`does so also when the agent's own record has the lost turn already, after ${done} turns`, async () => {
      const begin = done === 0 ? [] : FIRST;
      const slow = [{ tool: 'Bash', input: { command: 'echo two > two.txt; sleep 3' } }, { text: 'second' }];
      const id = await shop.begin(done === 0 ? slow : begin);
      if (done > 0) {
        await shop.until(id, 'one turn', idle(1), 40_000);
        await shop.send(id, slow);
      }
      await eventually(async () => readFile(join(await shop.workspace(id), 'two.txt')), 30_000);
      const workspace = await shop.workspace(id);
      // As a relay does that copies the record of an ended turn and then finds no sandbox to make its checkpoint in.
      const record = await remembered(id);
      await destroy(dirname(workspace));
      await mkdir(join(shop.dataFolder, 'conversations'), { recursive: true });
      await writeFile(join(shop.dataFolder, 'conversations', `${id}.jsonl`), record);
      const state = await shop.until(id, 'the turn anew', idle(done + 2), 60_000);
      assert.equal(state.turns.at(-1)?.agent?.outcome, 'completed');
      assert.equal(said(state).at(-1), 'second');
      assert.equal(await fileOf(id, 'two.txt'), 'two\n');
      assert.equal((await remembered(id)).includes('zebra'), done === 1);
    });
  }

  it('does so also when the relay was away', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo one > one.txt; sleep 3' } },
      { text: 'done' },
    ]);
    await eventually(async () => readFile(join(await shop.workspace(id), 'one.txt')), 30_000);
    await shop.relay.stop('SIGKILL');
    const sandboxes = join(shop.dataFolder, 'sandboxes');
    for (const name of await readdir(sandboxes)) {
      await rm(join(sandboxes, name), { recursive: true, force: true, maxRetries: 5 });
    }
    await shop.relay.start();
    const state = await shop.until(id, 'the turn anew', idle(2), 60_000);
    assert.deepEqual(said(state), ['done']);
    assert.equal(await fileOf(id, 'one.txt'), 'one\n');
    assert.equal((await agentsOf(shop, id)).length, 1, 'the old agent was ended');
  });
});
