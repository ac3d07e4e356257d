import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { agentProcesses } from '../support/agentProcesses.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const blocked = (state: SessionState) => state.phase.kind === 'blocked';
const said = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));

describe('stopping and putting away', function () {
  this.timeout(90_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const stop = (sessionId: string) => shop.client.call('session.stop', { sessionId });
  const archive = (sessionId: string, archived: boolean) =>
    shop.client.call('session.archive', { sessionId, archived });

  it('gives up what prepares a session, at every step, and a retry goes on', async () => {
    for (const step of ['mirror', 'sandbox', 'clone', 'agent'] as const) {
      const id = await shop.begin([{ text: `after ${step}` }]);
      await shop.until(id, step, state => state.phase.kind !== 'preparing' || state.phase.step === step);
      assert.deepEqual(await stop(id), { stopping: true }, step);
      const state = await shop.until(id, `stopped at ${step}`, seen => blocked(seen) || idle(1)(seen), 30_000);
      assert.equal(state.phase.kind, 'blocked', step);
      assert.equal(state.phase.failure.code, 'stopped');
      await eventually(async () => assert.deepEqual(await agentProcesses(shop, id), []));
      await shop.client.call('session.retry', { sessionId: id });
      assert.deepEqual(said(await shop.until(id, 'one turn', idle(1), 40_000)), [`after ${step}`]);
    }
  });

  it('stops a message that is on its way to the agent', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'sleep 300' } }, { text: 'never' }]);
    await shop.until(id, 'the message is on its way', state =>
      state.items.some(item => item.kind === 'message' && item.delivery === 'sent'),
    );
    assert.deepEqual(await stop(id), { stopping: true });
    const state = await shop.until(id, 'stopped', seen => blocked(seen) || idle(1)(seen), 30_000);
    assert.deepEqual(said(state), []);
    await shop.send(id, [{ text: 'next' }]);
    const after = await shop.until(
      id,
      'the next',
      seen => idle(seen.turns.length)(seen) && said(seen).includes('next'),
      40_000,
    );
    assert.ok(!said(after).includes('never'));
  });

  it('ends the agent of a session that is archived while it starts, works or waits', async () => {
    const script = [{ tool: 'Bash', input: { command: 'echo kept > kept.txt; sleep 300' } }, { text: 'never' }];
    const moments: [string, (state: SessionState) => boolean][] = [
      ['its clone is made', state => state.phase.kind === 'preparing' && state.phase.step === 'clone'],
      ['its agent is started', state => state.phase.kind === 'preparing' && state.phase.step === 'agent'],
      ['the message is sent', state => state.agent.running],
      ['it works', state => state.phase.kind === 'working'],
    ];
    for (const [what, fits] of moments) {
      const id = await shop.begin(script);
      await shop.until(id, what, fits);
      await archive(id, true);
      await shop.until(id, `no agent when archived while ${what}`, state => !state.agent.running);
      await eventually(async () => assert.deepEqual(await agentProcesses(shop, id), [], what));
      const { turns } = await shop.client.call('session.get', { sessionId: id });
      assert.ok(turns.every(turn => turn.agent?.outcome !== 'failed'));
    }
  });

  it('saves the work of a session that is archived, and goes on when it comes back', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo kept > kept.txt; sleep 300' } },
      { text: 'never' },
    ]);
    await eventually(
      async () => assert.equal(await readFile(join(await shop.workspace(id), 'kept.txt'), 'utf8'), 'kept\n'),
      30_000,
    );
    await archive(id, true);
    const state = await shop.until(id, 'a checkpoint', seen => seen.turns[0]?.checkpoint !== undefined);
    assert.equal(state.turns[0]?.agent?.outcome, 'stopped');
    const file = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'kept.txt' });
    assert.equal(file.content, 'kept\n');
    await assert.rejects(shop.send(id, 'more'), { code: 'conflict' });
    await archive(id, false);
    await shop.send(id, [{ text: 'back' }]);
    assert.deepEqual(said(await shop.until(id, 'the next turn', idle(2), 30_000)), ['back']);
  });

  it('ends the agent of an archived session also when the relay is killed in between', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'sleep 300' } }, { text: 'never' }]);
    await shop.until(id, 'it works', state => state.phase.kind === 'working');
    assert.notDeepEqual(await agentProcesses(shop, id), []);
    void archive(id, true).catch(() => {});
    await shop.until(id, 'archived', state => state.archived);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    await shop.until(id, 'no agent', state => !state.agent.running);
    await eventually(async () => assert.deepEqual(await agentProcesses(shop, id), []));
  });

  it('keeps turns apart that the agent begins by itself', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'sleep 0.4; echo later > later.txt', run_in_background: true } },
      { text: 'started' },
      { tool: 'Bash', input: { command: 'echo noticed > noticed.txt' } },
      { text: 'noticed' },
    ]);
    const state = await shop.until(
      id,
      'two turns with checkpoints',
      seen => seen.turns.length === 2 && seen.turns.every(turn => turn.checkpoint) && seen.phase.kind === 'idle',
      40_000,
    );
    assert.deepEqual(
      state.turns.map(turn => turn.messageIds.length),
      [1, 0],
    );
    const file = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'noticed.txt' });
    assert.equal(file.content, 'noticed\n');
  });
});
