import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { agentsOf, sandboxProcesses } from '../support/sandboxProcesses.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) =>
  state.phase.kind === 'idle' && state.turns.length === turns && !state.recovering;
const said = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));
const words = Array.from({ length: 200 }, (_, index) => `word${index}`).join(' ');

describe('a machine that is restarted', function () {
  this.timeout(120_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  /** As after the power went: no process, no socket, and what is recorded of processes is of another boot. */
  async function restart(sessions: readonly string[]): Promise<void> {
    const folders = await Promise.all(sessions.map(async id => dirname(await shop.workspace(id))));
    const processes = (await Promise.all(sessions.map(id => sandboxProcesses(shop, id)))).flat();
    await shop.relay.stop('SIGKILL');
    processes.forEach(({ pid }) => kill(pid));
    await rm(join(shop.dataFolder, 'run'), { recursive: true });
    for (const folder of folders) {
      const records = join(folder, 'relay', 'processes');
      for (const name of await readdir(records)) {
        const text = await readFile(join(records, name), 'utf8');
        assert.match(text, /"born":"[0-9a-f-]{36}\//);
        const moved = text.replaceAll(/"born":"[0-9a-f-]{36}\//g, '"born":"00000000-0000-4000-8000-000000000000/');
        await writeFile(join(records, name), moved);
      }
    }
    await shop.relay.start();
  }

  function kill(pid: number): void {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It died with another.
    }
  }

  it('takes every session up where it was: an answer, a tool, a question, an idle agent', async () => {
    const answering = await shop.begin([{ text: words, deltas: 200, delayMs: 40 }]);
    const tool = {
      tool: 'Bash',
      input: { command: 'echo kept > kept.txt; [ -e once ] || { touch once; sleep 300; }' },
    };
    const running = await shop.begin([tool, { text: 'after the tool' }]);
    const asking = await shop.begin([{ tool: 'Bash', input: { command: 'touch asked' } }, { text: 'asked' }], {
      permissionMode: 'ask',
    });
    const resting = await shop.begin([{ text: 'first' }]);
    await shop.until(resting, 'one turn', idle(1), 60_000);
    await shop.until(asking, 'a question', state => state.approvals.length === 1, 60_000);
    await eventually(async () => readFile(join(await shop.workspace(running), 'once')), 60_000);
    await shop.until(answering, 'the answer begins', state => state.phase.kind === 'working', 60_000);
    await restart([answering, running, asking, resting]);

    const answered = await shop.until(answering, 'the answer', idle(2), 60_000);
    assert.deepEqual(said(answered), [words]);
    assert.match(answered.turns[0]?.agent?.failure?.message ?? '', /ended at \d\d:\d\d/);

    const cut = await shop.until(running, 'it is told that the tool was cut off', idle(1), 60_000);
    assert.equal(cut.interrupted?.toolRan, true);
    const kept = { sessionId: running, side: 'proposed', path: 'kept.txt' } as const;
    assert.equal((await shop.client.call('changes.file', kept)).content, 'kept\n');
    await shop.client.call('session.retry', { sessionId: running });
    assert.deepEqual(said(await shop.until(running, 'after the tool', idle(2), 60_000)), ['after the tool']);

    const askedAgain = await shop.until(
      asking,
      'the question anew',
      state => state.turns.length === 2 && state.approvals.length === 1,
      60_000,
    );
    const approvalId = askedAgain.approvals[0]?.id ?? '';
    await shop.client.call('session.answer', { sessionId: asking, approvalId, decision: { kind: 'allow' } });
    assert.deepEqual(said(await shop.until(asking, 'the end', idle(2), 60_000)), ['asked']);

    await shop.send(resting, [{ text: 'second' }]);
    assert.deepEqual(said(await shop.until(resting, 'the second turn', idle(2), 60_000)), ['first', 'second']);
    for (const id of [answering, running, asking, resting]) {
      assert.equal((await agentsOf(shop, id)).length, 1, 'one agent a session');
    }
  });
});
