import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

/** A budget ends a turn, visibly, and whoever raises it goes on where the session was. */
describe('the budget of a session', function () {
  this.timeout(90_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  it('ends a turn when it is spent, is raised, and the same agent goes on', async () => {
    const cli = new Cli(shop.dataFolder);
    const step = { text: 'One.', tool: 'Bash', input: { command: 'echo one > one.txt' } };
    const id = await shop.begin([step, { text: 'Two.' }], { budgetUsd: 0.000_001 });
    const spent = await shop.until(id, 'one turn', idle(1), 60_000);
    assert.equal(spent.turns[0]?.agent?.failure?.code, 'budget_spent', JSON.stringify(spent.turns));
    assert.match(spent.turns[0].agent.failure.hint ?? '', /sandpiper set <session> --budget/);
    const raised = await cli.run(['set', id, '--budget', '5']);
    assert.equal(raised.code, 0, raised.stderr);
    assert.match(raised.stdout, /^spent \$\d/);
    await shop.send(id, [{ text: 'Now there is money.' }]);
    const state = await shop.until(id, 'two turns', idle(2), 60_000);
    assert.equal(state.turns[1]?.agent?.outcome, 'completed');
    assert.match(JSON.stringify(state.items), /may cost \$5\.00 in this session; \$\d/);
    assert.equal(state.agent.segment, spent.agent.segment);
    // It is lowered again, below what was spent: the next call is refused, and after a restart, too.
    await shop.client.call('session.setBudget', { sessionId: id, budgetUsd: 0.000_001 });
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    await shop.send(id, [{ text: 'never' }]);
    const last = await shop.until(id, 'three turns', idle(3), 60_000);
    assert.equal(last.turns[2]?.agent?.failure?.code, 'budget_spent');
    assert.equal((await cli.run(['set', id, '--budget', 'none'])).code, 0);
  });

  it('says what is no amount', async () => {
    const wrong = await new Cli(shop.dataFolder).run(['set', 'any', '--budget', 'much']);
    assert.equal(wrong.code, 2, wrong.stderr);
  });
});
