import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { rejects } from '../support/rejects.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const run = promisify(execFile);

describe('deleting on the command line', function () {
  this.timeout(240_000);
  let shop: Workshop;
  let cli: Cli;
  before(async () => {
    shop = await openWorkshop({ SANDPIPER_GC_MINUTES: '0' });
    // The commands join the relay of the workshop, which ends it.
    cli = new Cli(shop.dataFolder);
  });
  after(async () => {
    await shop.dispose();
  });

  it('says how to undo it, lists what can be restored, and restores it', async () => {
    const id = await shop.begin([{ text: 'hello' }], { title: 'A short one' });
    await shop.until(id, 'one turn', idle(1), 60_000);
    const deleted = await cli.run(['delete', id.slice(-8)]);
    assert.deepEqual([deleted.code, deleted.stderr], [0, '']);
    assert.match(
      deleted.stdout,
      new RegExp(`^deleted ${id}\nUntil \\d{4}-\\d\\d-\\d\\d .*: sandpiper restore ${id}\n$`),
    );
    const listed = await cli.run(['sessions', '--deleted']);
    assert.match(listed.stdout, new RegExp(`^${id}  until .* MB  sample  A short one\n$`));
    assert.equal((await cli.run(['sessions', '--json'])).stdout, '');
    const unknown = await cli.run(['restore', 'zzzzzzzz']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /sessions --deleted/);
    const restored = await cli.run(['restore', id.slice(-8), '--json']);
    assert.equal(restored.code, 0);
    const { seq } = await shop.client.call('session.get', { sessionId: id });
    assert.deepEqual(JSON.parse(restored.stdout), { sessionId: id, seq });
    assert.equal((await cli.run(['sessions', '--deleted'])).stdout, '');
    const collected = await cli.run(['gc', '--dry-run']);
    assert.deepEqual([collected.code, collected.stdout], [0, '0 things, 0.0 MB would be freed\n']);
  });

  it('deletes nothing when the disk of the archive is full, also not by force', async function () {
    const id = await shop.begin([{ text: 'hello' }]);
    const earlier = await shop.until(id, 'one turn', idle(1), 60_000);
    const drafts = join(shop.dataFolder, 'archives/tmp');
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4k,mode=700', 'tmpfs', drafts]).then(
      () => true,
      () => false,
    );
    requireOrSkip(this, 'full disk under the archives', mounted, 'tmpfs cannot be mounted');
    try {
      await writeFile(join(drafts, 'filler'), Buffer.alloc(4096));
      for (const force of [false, true]) {
        await rejects(shop.client.call('session.delete', { sessionId: id, force }, { timeoutMs: 60_000 }), 'disk_full');
      }
    } finally {
      await run('umount', ['-l', drafts]);
    }
    const state = await shop.client.call('session.get', { sessionId: id });
    assert.equal(state.archived, false);
    assert.equal(state.proposed, earlier.proposed);
    assert.ok(existsSync(await shop.workspace(id)), 'the sandbox is there');
    await shop.send(id, [{ text: 'still here' }]);
    await shop.until(id, 'a second turn', idle(2), 60_000);
    await shop.client.call('session.delete', { sessionId: id }, { timeoutMs: 60_000 });
  });
});
