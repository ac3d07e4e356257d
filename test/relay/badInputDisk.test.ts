import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/relayProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);
const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

/** A small disk of its own; undefined where the system does not let us mount one. */
async function mountDisk(
  folder: string,
  size: string,
): Promise<{ fill(): Promise<void>; free(): Promise<void> } | undefined> {
  await mkdir(folder, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder]);
  } catch {
    return undefined;
  }
  const filler = join(folder, 'filler');
  return {
    fill: async () => {
      await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096']).catch(() => {});
      assert.ok((await stat(filler)).size > 0);
    },
    free: () => rm(filler),
  };
}

describe('a full disk', function () {
  this.timeout(90_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let shop: Workshop | undefined;
  let mounted = '';

  before(async () => {
    scratch = await temporaryFolder();
  });
  after(async () => {
    await scratch.remove();
  });

  async function end(): Promise<void> {
    await shop?.dispose();
    shop = undefined;
    if (mounted !== '') {
      await run('umount', ['-l', mounted]);
      mounted = '';
    }
  }

  it('lets no new work begin, everything be read, and work go on when there is room', async function () {
    const folder = join(scratch.path, 'data');
    const disk = await mountDisk(folder, '256m');
    requireOrSkip(this, 'full disk', disk !== undefined, 'tmpfs cannot be mounted');
    mounted = folder;
    try {
      shop = await openWorkshop({ SANDPIPER_DATA: folder });
    } catch (error) {
      await end();
      throw error;
    }
    try {
      const id = await shop.begin([{ tool: 'Bash', input: { command: 'echo new > new.txt' } }, { text: 'Done.' }]);
      await shop.until(id, 'one turn', idle(1), 40_000);
      const before = await shop.events(id);
      await disk?.fill();
      for (const call of [shop.begin('x'), shop.send(id, 'x'), shop.client.call('session.retry', { sessionId: id })]) {
        await assert.rejects(call, (error: { code?: string; message?: string; hint?: string; retryable?: boolean }) => {
          assert.equal(error.code, 'disk_full');
          assert.ok(error.message?.includes(folder));
          assert.match(error.hint ?? '', /Free some disk space/);
          assert.equal(error.retryable, true);
          return true;
        });
      }
      assert.deepEqual(await shop.events(id), before);
      const { files } = await shop.client.call('changes.list', { sessionId: id });
      assert.equal(files.length, 1);
      const { checks } = await shop.client.call('relay.checks', {});
      assert.equal(checks.find(({ name }) => name === 'disk')?.status, 'warning');
      await disk?.free();
      await shop.send(id, [{ text: 'There is room.' }]);
      const state = await shop.until(id, 'two turns', idle(2), 40_000);
      assert.equal(state.turns[1]?.agent?.outcome, 'completed');
      assert.deepEqual((await shop.events(id)).slice(0, before.length), before);
    } finally {
      await end();
    }
  });

  it('under the database in the middle of a turn costs no event: they come when there is room', async function () {
    const folder = join(scratch.path, 'database');
    const disk = await mountDisk(folder, '2m');
    requireOrSkip(this, 'full disk under the database', disk !== undefined, 'tmpfs cannot be mounted');
    mounted = folder;
    try {
      const data = join(scratch.path, 'other-data');
      await mkdir(data, { mode: 0o700 });
      await writeFile(join(folder, 'relay.db'), '', { mode: 0o600 });
      await symlink(join(folder, 'relay.db'), join(data, 'relay.db'));
      shop = await openWorkshop({ SANDPIPER_DATA: data });
      const words = Array.from({ length: 12 }, (_, index) => ({
        text: `${index} ${'much text '.repeat(2500)}`,
        deltas: 5,
        tool: 'Bash',
        input: { command: `echo ${index} >> lines.txt` },
      }));
      const id = await shop.begin([...words, { text: 'The end.' }]);
      await shop.until(id, 'the first tool', ({ items }) => items.some(item => item.kind === 'tool'), 40_000);
      await disk?.fill();
      // The agent is done, whether or not its events could be stored: it does not wait for the relay.
      const { model } = shop;
      const calls = () => model.requests().filter(({ path }) => path.endsWith('/v1/messages')).length;
      while (calls() < words.length + 1) {
        await new Promise(resolve => setTimeout(resolve, 100));
      }
      assert.match(shop.relay.log, /disk_full/);
      // Meanwhile the list says it, though nothing can be written into the log.
      const { client } = shop;
      await eventually(async () => {
        const { sessions } = await client.call('session.list', {});
        assert.equal(sessions[0]?.activity, 'The disk of the relay is full');
      }, 20_000);
      await disk?.free();
      const state = await shop.until(id, 'one turn', idle(1), 60_000);
      assert.equal(state.turns[0]?.agent?.outcome, 'completed');
      assert.equal(state.items.filter(item => item.kind === 'tool' && item.state === 'ok').length, words.length);
      assert.equal(state.items.filter(item => item.kind === 'text').length, words.length + 1);
      const events = await shop.events(id);
      const notices = events.flatMap(({ body }) => (body.type === 'noticeRaised' ? [body] : []));
      assert.equal(notices.length, 1, JSON.stringify(notices));
      assert.match(notices[0]?.text ?? '', /^The disk of the relay was full from .* Nothing was lost/);
      assert.deepEqual(
        events.map(event => event.seq),
        events.map((_, index) => index + 1),
      );
    } finally {
      await end();
    }
  });
});
