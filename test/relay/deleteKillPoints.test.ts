import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
/** Kills at random moments besides the chosen ones; the seed of a failure is in its message. */
const KILLS = Number(process.env['SANDPIPER_TEST_KILLS'] ?? 4);
const SEED = Number(process.env['SANDPIPER_TEST_SEED'] ?? Date.now() % 100_000);

describe('a relay that is killed while it deletes or restores', function () {
  this.timeout(120_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const patience = { timeoutMs: 60_000 };

  async function kill(): Promise<void> {
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
  }

  interface Worked {
    id: string;
    sandbox: string;
    /** How many parts the archives have. */
    parts: number;
  }

  const parts = () => readdirSync(join(shop.dataFolder, 'archives/parts')).length;

  async function worked(): Promise<Worked> {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'echo one > one.txt' } }, { text: 'done' }]);
    await shop.until(id, 'one turn', idle(1));
    const workspace = await shop.workspace(id);
    await writeFile(join(workspace, 'unsaved.txt'), 'unsaved\n');
    return { id, sandbox: join(workspace, '..'), parts: parts() };
  }

  /** Deleted and restorable: what it had is there again, in the log, in git and in the next sandbox. */
  async function checkRestorable(id: string): Promise<void> {
    const { sessions } = await shop.client.call('session.listDeleted', {});
    assert.deepEqual(
      sessions.map(({ summary }) => summary.id),
      [id],
    );
    await eventually(async () => assert.deepEqual(await readdir(join(shop.dataFolder, 'sandboxes')), []));
    await shop.client.call('session.restore', { sessionId: id }, patience);
    await checkWhole(id);
  }

  async function checkWhole(id: string): Promise<void> {
    const events = await shop.events(id);
    assert.deepEqual(
      events.map(event => event.seq),
      events.map((_, index) => index + 1),
    );
    const { turns } = await shop.client.call('session.get', { sessionId: id });
    const tool = { tool: 'Bash', input: { command: 'cat one.txt unsaved.txt' } };
    await shop.send(id, [tool, { text: 'seen' }]);
    const state = await shop.until(id, 'another turn', idle(turns.length + 1), 30_000);
    assert.equal(state.items.findLast(item => item.kind === 'tool')?.output?.text, 'one\nunsaved');
    await shop.client.call('session.delete', { sessionId: id }, patience);
    // Out of the way of the next test.
    const manifests = join(shop.dataFolder, 'archives/sessions');
    for (const name of await readdir(manifests)) {
      await rm(join(manifests, name));
    }
  }

  async function when(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!holds()) {
      assert.ok(Date.now() < deadline, `never: ${what}`);
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  const points: Record<string, (session: Worked) => boolean> = {
    'the sandbox is being saved': ({ sandbox }) => existsSync(join(sandbox, 'journal/saved.work')),
    'a part is kept': session => parts() > session.parts,
    'the archive is written': ({ id }) => existsSync(join(shop.dataFolder, 'archives/sessions', `${id}.json`)),
    'the sandbox is gone': ({ sandbox }) => !existsSync(sandbox),
  };
  for (const [what, holds] of Object.entries(points)) {
    it(`goes on with the deletion: ${what}`, async () => {
      const session = await worked();
      const deleting = shop.client.call('session.delete', { sessionId: session.id }, patience);
      await when(what, () => holds(session));
      await kill();
      assert.deepEqual((await deleting).missing, []);
      await checkRestorable(session.id);
    });
  }

  it(`loses nothing in ${KILLS} kills at any moment of deleting and restoring (seed ${SEED})`, async () => {
    const random = generator(SEED);
    const { id } = await worked();
    for (let kills = 0; kills < KILLS; kills++) {
      const deleting = shop.client.call('session.delete', { sessionId: id }, patience);
      await sleep(random() * 700);
      await kill();
      assert.deepEqual((await deleting).missing, [], `seed ${SEED}`);
      const restoring = shop.client.call('session.restore', { sessionId: id }, patience);
      await sleep(random() * 150);
      await kill();
      await restoring;
    }
    await checkWhole(id);
  });
});

function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
