import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { isRecord } from '../../protocol/isRecord.ts';
import { agentsOf } from '../support/sandboxProcesses.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

describe('a relay that starts', function () {
  this.timeout(60_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  it('ends what a killed one ran in passing, and leaves the agents alone', async () => {
    const id = await shop.begin([{ text: 'hello' }]);
    await shop.until(id, 'one turn', state => state.phase.kind === 'idle' && state.turns.length === 1, 40_000);
    const agents = await agentsOf(shop, id);
    assert.equal(agents.length, 1);
    const sandbox = dirname(await shop.workspace(id));
    const record: unknown = JSON.parse(await readFile(join(sandbox, 'relay', 'sandbox.json'), 'utf8'));
    const incarnation = isRecord(record) ? String(record['incarnation']) : '';
    await shop.relay.stop('SIGKILL');
    // As a program that `exec` had running: marked for this sandbox, without the name of one that is to last.
    const left = spawn('sleep', ['300'], {
      env: { PATH: process.env['PATH'], SANDPIPER_SANDBOX: `${sandbox.split('/').at(-1)}/${incarnation}::left` },
      stdio: 'ignore',
    });
    const ended = once(left, 'exit');
    try {
      await once(left, 'spawn');
      await shop.relay.start();
      assert.deepEqual(await ended, [null, 'SIGKILL']);
      assert.deepEqual(await agentsOf(shop, id), agents);
    } finally {
      left.kill('SIGKILL');
    }
  });
});
