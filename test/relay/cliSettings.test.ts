import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('`sandpiper set` and the ways of `send`', function () {
  this.timeout(60_000);
  let shop: Workshop;
  let cli: Cli;
  before(async () => {
    shop = await openWorkshop();
    cli = new Cli(shop.dataFolder);
  });
  after(async () => {
    await shop.dispose();
  });

  it('change the settings and stop the turn for a message', async () => {
    const id = await shop.begin([{ text: 'Slowly', deltas: 7, delayMs: 5000 }]);
    await shop.until(id, 'a turn', state => state.phase.kind === 'working');
    const set = await cli.run(['set', id, '--model', 'haiku', '--effort', 'low', '--permissions', 'plan']);
    assert.deepEqual([set.code, set.stdout], [0, 'from the next answer on\n'], set.stderr);
    const sent = await cli.run(['send', id, 'Now @@[{"text":"Quickly"}]', '--interrupt']);
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, /Quickly/);
    const state = await shop.until(id, 'two turns', idle(2));
    assert.deepEqual([state.model, state.effort, state.permissionMode], ['haiku', 'low', 'plan']);
    assert.equal((await cli.run(['set', id, '--model', 'default'])).code, 0);
    assert.equal((await shop.client.call('session.get', { sessionId: id })).model, undefined);
  });

  it('say what they do not understand', async () => {
    const none = await cli.run(['set', 'any']);
    assert.match(none.stderr, /Say what to change/);
    assert.equal((await cli.run(['set', 'any', '--effort', 'enormous'])).code, 2);
    assert.equal((await cli.run(['send', 'any', 'text', '--steer', '--interrupt'])).code, 2);
  });
});
