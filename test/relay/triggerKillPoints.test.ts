import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { eventually } from '../support/eventually.ts';
import { joinRelay } from '../support/joinRelay.ts';
import { scripted } from '../support/modelScript.ts';
import { deliverNamed } from '../support/namedHooks.ts';
import { MAIN } from '../support/relayProcess.ts';
import { isStopped, untilStopped } from '../support/stoppedProcess.ts';
import { openWorkshop } from '../support/workshop.ts';

const STOP_AT = new URL('../support/stopRelayAt.ts', import.meta.url).href;

describe('a webhook of one’s own, and a relay that is killed', function () {
  this.timeout(180_000);

  for (const [point, when] of [
    ['commit', 'in the middle of the first write of its session'],
    ['begun', 'when its session is there and the webhook does not know'],
  ] as const) {
    it(`begins one session though that is ${when}`, async () => {
      const shop = await openWorkshop({ SANDPIPER_LEASE_MS: '1000', TEST_STOP_AT: point }, ['--import', STOP_AT, MAIN]);
      const client = joinRelay(shop.dataFolder);
      try {
        const prompt = scripted('Do', [{ tool: 'Bash', input: { command: 'echo 1 > one.txt' } }, { text: 'Ok.' }]);
        const { hook, secret = '' } = await client.call('hooks.add', { name: 'once', source: shop.repository, prompt });
        const id = 'msg_once';
        // It may be stopped before the answer is sent, or after it.
        const answer = deliverNamed(shop.relay, { path: hook.path, secret }, { a: 1 }, { id }).catch(() => undefined);
        assert.ok(shop.relay.pid !== undefined);
        await untilStopped(shop.relay.pid);
        await shop.relay.stop('SIGKILL');
        await answer;
        const heir = shop.another();
        await heir.start();
        const again = await deliverNamed(heir, { path: hook.path, secret }, { a: 1 }, { id });
        assert.deepEqual([again.status, again.duplicate], [202, true]);
        const sessionId = await eventually(async () => {
          const { firings } = await client.call('triggers.list', {});
          const [firing] = firings;
          assert.equal(firings.length, 1);
          assert.equal(firing?.state, 'begun', `${JSON.stringify(firing)}\n${heir.log.slice(-2000)}`);
          return firing.sessionId ?? '';
        }, 60_000);
        const state = await eventually(async () => {
          const now = await client.call('session.get', { sessionId });
          assert.ok(now.turns[0]?.checkpoint, JSON.stringify(now.phase));
          return now;
        }, 60_000);
        assert.equal(state.turns.length, 1);
        assert.equal((await client.call('session.list', {})).sessions.length, 1);
      } finally {
        client.dispose();
        if (shop.relay.pid !== undefined && (await isStopped(shop.relay.pid))) {
          await shop.relay.stop('SIGKILL');
        }
        await shop.dispose();
      }
    });
  }
});
