import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import type { StepInput } from '../support/modelScript.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const over = (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === 1;

describe('a model that fails', () => {
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const failing: { name: string; script: StepInput[]; code: string }[] = [
    { name: '401', script: [{ status: 401 }], code: 'model_key_rejected' },
    { name: '403', script: [{ status: 403 }], code: 'model_key_rejected' },
  ];
  for (const { name, script, code } of failing) {
    it(`ends the turn with a clear failure on ${name}, and the next message works`, async () => {
      const id = await shop.begin(script);
      const state = await shop.until(id, 'the turn ended', over, 60_000);
      assert.equal(state.turns[0]?.agent?.outcome, 'failed');
      assert.equal(state.turns[0].agent.failure?.code, code);
      assert.ok(state.turns[0].agent.failure.message.length > 10);
      await shop.send(id, [{ text: 'back again' }]);
      const next = await shop.until(
        id,
        'a second turn',
        later => later.phase.kind === 'idle' && later.turns.length === 2,
      );
      assert.equal(next.turns[1]?.agent?.outcome, 'completed');
    });
  }

  for (const status of [429, 529, 500]) {
    it(`is patient with ${status}, says so, and goes on`, async () => {
      const id = await shop.begin([{ status, times: 2, retryAfter: 0, text: 'at last' }]);
      const state = await shop.until(id, 'the turn ended', over, 60_000);
      assert.equal(state.turns[0]?.agent?.outcome, 'completed');
      const retries = (await shop.events(id)).filter(event => event.body.type === 'modelRetrying');
      assert.ok(retries.length >= 1, 'the retries are in the log');
    });
  }

  it('survives a connection that is cut in the middle of an answer', async () => {
    const id = await shop.begin([
      { text: 'a long answer that is cut somewhere and comes again', drop: 'mid' },
      { text: 'and goes on' },
    ]);
    const state = await shop.until(id, 'the turn ended', over, 60_000);
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
  });
});
