import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { joinRelay } from '../support/joinRelay.ts';
import { MAIN } from '../support/relayProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const LOOP = new URL('../support/endlessLoop.ts', import.meta.url).href;
const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a relay that runs in circles', function () {
  this.timeout(120_000);
  let shop: Workshop | undefined;
  afterEach(async () => {
    await shop?.relay.stop('SIGKILL');
    await shop?.dispose();
  });

  it('is ended by the one that takes over, which goes on', async function () {
    requireOrSkip(
      this,
      'a relay that runs in circles',
      process.platform === 'linux',
      'only Linux tells who holds a lock',
    );
    shop = await openWorkshop({ SANDPIPER_LEASE_MS: '1000' }, ['--import', LOOP, MAIN]);
    const id = await shop.begin([{ text: 'one' }]);
    await shop.until(id, 'the first turn', idle(1));
    const { pid = 0 } = shop.relay;
    const ended = shop.relay.ended();
    process.kill(pid, 'SIGUSR2');
    const heir = shop.another();
    await heir.start();
    await ended;
    assert.match(heir.log, new RegExp(`Ending process ${pid}: it was taken over from`));
    const client = joinRelay(shop.dataFolder);
    try {
      await client.call('session.send', { sessionId: id, text: 'again' });
      await shop.until(id, 'the second turn', idle(2), 40_000);
    } finally {
      client.dispose();
    }
  });
});
