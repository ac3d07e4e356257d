import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import { agentProcesses } from '../support/agentProcesses.ts';
import { eventually } from '../support/eventually.ts';
import { openTurns, restored, told, type Turns } from '../support/turns.ts';

/** Kills at random moments besides the chosen ones; the seed of a failure is in its message. */
const KILLS = Number(process.env['SANDPIPER_TEST_KILLS'] ?? 4);
const SEED = Number(process.env['SANDPIPER_TEST_SEED'] ?? Date.now() % 100_000);
const MANY = 2000;

describe('a relay that is killed while it goes back to a turn', function () {
  this.timeout(180_000);
  let turns: Turns;
  before(async () => {
    // So many files that writing them can be caught in the middle.
    turns = await openTurns(
      turn => `mkdir -p f; for i in $(seq 1000 ${999 + MANY}); do echo ${turn} > f/$i; done; sleep 0.1`,
    );
  });
  after(async () => {
    await turns.shop.dispose();
  });

  const patience = { timeoutMs: 60_000 };
  async function kill(): Promise<void> {
    await turns.shop.relay.stop('SIGKILL');
    await turns.shop.relay.start();
  }
  async function when(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!holds()) {
      assert.ok(Date.now() < deadline, `never: ${what}`);
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  /** Every file is of this turn, and the log tells of each restore once. */
  async function checkFiles(id: string, turn: number, restores: number): Promise<void> {
    const folder = join(await turns.shop.workspace(id), 'f');
    const names = readdirSync(folder);
    assert.equal(names.length, MANY);
    assert.deepEqual([...new Set(names.map(name => readFileSync(join(folder, name), 'utf8')))], [`${turn}\n`]);
    const events = await turns.shop.events(id);
    assert.deepEqual(
      events.map(event => event.seq),
      events.map((_, index) => index + 1),
    );
    const finished = events.flatMap(({ body }) => (body.type === 'restoreFinished' ? [body.restore] : []));
    assert.equal(new Set(finished).size, restores);
    assert.equal(finished.length, restores);
    assert.ok(events.every(({ body }) => body.type !== 'restoreFailed' && body.type !== 'sessionBlocked'));
    await eventually(async () => assert.deepEqual(await agentProcesses(turns.shop, id), []));
  }

  it('goes on at each of its steps', async () => {
    const { shop, work, restore, next, remembered } = turns;
    const id = await work(2);
    const workspace = await shop.workspace(id);
    const refs = join(shop.dataFolder, 'mirrors');
    const countRefs = () => {
      const [mirror = ''] = readdirSync(refs).filter(name => name.endsWith('.git'));
      const folder = join(refs, mirror, 'refs/sandpiper', id, 'before');
      return existsSync(folder) ? readdirSync(folder).filter(name => /^\d+$/.test(name)).length : 0;
    };
    const conversations = () =>
      readdirSync(join(shop.dataFolder, 'conversations')).filter(name => name.startsWith(id)).length;
    const fileIs = (name: number, turn: number) => textOf(join(workspace, `f/${name}`)) === `${turn}\n`;
    let done = 0;
    const points: [string, (turn: number) => () => boolean][] = [
      ['it was asked for', () => () => true],
      [
        'the conversation is cut',
        () =>
          (
            now => () =>
              conversations() > now
          )(conversations()),
      ],
      [
        'the files are saved',
        () =>
          (
            now => () =>
              countRefs() > now
          )(countRefs()),
      ],
      ['the first files are written', turn => () => fileIs(1000, turn)],
      ['the last file is written', turn => () => fileIs(999 + MANY, turn)],
    ];
    for (const [what, point] of points) {
      const holds = point(1);
      const restoring = restore(id, 1, 'both');
      await when(what, holds);
      await kill();
      await restoring;
      await shop.until(id, `the restore that was killed: ${what}`, restored(++done), 40_000);
      await checkFiles(id, 1, done);
      const undoing = shop.client.call('checkpoint.undo', { sessionId: id }, patience);
      const back = point(2);
      if (what !== 'the conversation is cut') {
        await when(what, back);
        await kill();
      }
      await undoing;
      await shop.until(id, `the undo that was killed: ${what}`, restored(++done), 40_000);
      await checkFiles(id, 2, done);
    }
    await next(id, 3);
    assert.deepEqual(remembered(), told(1, 2, 3));
  });

  it(`ends in one of the two states after ${KILLS} kills at any moment (seed ${SEED})`, async () => {
    const { shop, work, restore, next, remembered } = turns;
    const random = generator(SEED);
    const id = await work(2);
    for (let kills = 0; kills < KILLS; kills++) {
      const restoring = restore(id, 1 + (kills % 2), 'both');
      await sleep(random() * 1200);
      await kill();
      await restoring;
      await shop.until(id, `restore ${kills} (seed ${SEED})`, restored(kills + 1), 40_000);
      await checkFiles(id, 1 + (kills % 2), kills + 1);
    }
    await restore(id, 1, 'both');
    await shop.until(id, 'the last restore', restored(KILLS + 1), 40_000);
    await next(id, 3);
    assert.deepEqual(remembered(), told(1, 3));
  });
});

/** A file that is just being written anew may not be there. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
