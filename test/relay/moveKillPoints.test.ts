import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, afterEach, before, describe, it } from 'mocha';
import { Moves } from '../support/moves.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';

/** Kills at random moments besides the chosen ones; the seed of a failure is in its message. */
const KILLS = Number(process.env['SANDPIPER_TEST_KILLS'] ?? 3);
const SEED = Number(process.env['SANDPIPER_TEST_SEED'] ?? Date.now() % 100_000);

describe('a relay that is killed while it moves a session', function () {
  this.timeout(240_000);
  let moves: Moves;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'kills while sessions are moved', why === undefined, why ?? '');
    moves = await Moves.open();
  });
  after(async () => {
    await moves?.dispose();
  });
  afterEach(() => moves.e2b.faults.clear());

  async function when(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!holds()) {
      assert.ok(Date.now() < deadline, `never: ${what}`);
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  async function killWhen(what: string, holds: () => boolean): Promise<void> {
    await when(what, holds);
    await moves.kill();
  }

  const points: Record<string, (sandbox: string) => boolean> = {
    'it is asked for': () => true,
    'the old sandbox is being saved': sandbox => existsSync(join(sandbox, 'journal/saved.work')),
    'the new sandbox is there': () => moves.e2b.machines.size > 0,
    'the old sandbox is gone': sandbox => !existsSync(sandbox),
  };
  for (const [what, holds] of Object.entries(points)) {
    it(`ends the move: ${what}`, async () => {
      const id = await moves.worked();
      const sandbox = dirname(await moves.shop.workspace(id));
      await moves.begin(id, 'e2b');
      await killWhen(what, () => holds(sandbox));
      await moves.at(id, 'e2b');
      await moves.only(0, 1, 0);
      await moves.next(id, 2);
      await moves.remove(id);
    });
  }

  it('removes the old sandbox when the log says that the session has moved', async () => {
    const id = await moves.worked();
    await moves.begin(id, 'e2b');
    await moves.at(id, 'e2b');
    // The first call that removes it is never answered, and nothing comes of it.
    moves.e2b.faults.set(/^DELETE /, { kind: 'hold', until: new Promise<void>(() => {}) });
    const before = moves.e2b.requests.length;
    await moves.begin(id, 'local');
    await killWhen('removal', () => moves.e2b.requests.slice(before).some(name => name.startsWith('DELETE ')));
    await moves.at(id, 'local');
    await moves.only(1, 0, 0);
    await moves.next(id, 2);
    await moves.remove(id);
  });

  it(`has it in one place after ${KILLS} kills and stops at any moment (seed ${SEED})`, async () => {
    const random = generator(SEED);
    const id = await moves.worked();
    for (let round = 0, turn = 1; round < KILLS; round++, turn++) {
      const { provider } = await moves.shop.client.call('session.get', { sessionId: id });
      await moves.begin(id, provider === 'local' ? 'e2b' : 'local');
      await sleep(random() * 2500);
      if (random() < 0.5) {
        await moves.shop.client.call('session.stop', { sessionId: id });
        await sleep(random() * 300);
      }
      await moves.kill();
      const state = await moves
        .rest(id, turn)
        .catch(error => assert.fail(`round ${round}, seed ${SEED}: ${String(error)}`));
      await moves.next(id, turn + 1);
      await moves.only(state.provider === 'local' ? 1 : 0, state.provider === 'local' ? 0 : 1, 0);
    }
    await moves.remove(id);
  });
});

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
