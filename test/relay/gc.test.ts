import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { plainGit } from '../support/plainGit.ts';
import { rejects } from '../support/rejects.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const DAY_MS = 86_400_000;
const days = (ms: number) => String(ms / DAY_MS);
/** Nothing is kept for long, and nothing goes by itself. */
const AT_ONCE = {
  SANDPIPER_GC_MINUTES: '0',
  SANDPIPER_GC_GRACE_MINUTES: '0',
  SANDPIPER_KEEP_DELETED_DAYS: days(1),
  SANDPIPER_MIRROR_IDLE_DAYS: days(1),
};

describe('what nobody needs any more', function () {
  this.timeout(90_000);
  let shop: Workshop | undefined;
  afterEach(async () => {
    await shop?.dispose();
    shop = undefined;
  });

  const data = (...path: string[]) => join(shop?.dataFolder ?? '', ...path);
  const files = async (...path: string[]) =>
    (await readdir(data(...path), { recursive: true, withFileTypes: true })).filter(entry => entry.isFile());

  it('goes: archives after their time with all they had, mirrors, folders; and a dry run only says so', async () => {
    shop = await openWorkshop(AT_ONCE);
    const { client } = shop;
    const large = (letter: string) => [
      { tool: 'Bash', input: { command: `: ${letter.repeat(60_000)}` } },
      { text: 'done' },
    ];
    const [gone, kept] = [await shop.begin(large('g')), await shop.begin(large('k'))];
    for (const id of [gone, kept]) {
      await shop.until(id, 'one turn', idle(1), 40_000);
    }
    await mkdir(data('run', 'leftover'));
    await client.call('session.delete', { sessionId: gone });
    const before = await files();
    const listed = await client.call('relay.collect', { dryRun: true });
    assert.deepEqual(listed.problems, []);
    const kinds = [...new Set(listed.removed.map(({ kind }) => kind))].toSorted();
    assert.deepEqual(kinds, ['archive', 'blob', 'part', 'runFolder']);
    assert.equal((await files()).length, before.length, 'a dry run removes nothing');

    const collected = await client.call('relay.collect', {});
    assert.deepEqual(collected.removed, listed.removed);
    assert.deepEqual(await files('archives'), []);
    assert.equal(existsSync(data('run', 'leftover')), false);
    await rejects(client.call('session.restore', { sessionId: gone }), 'not_found');
    const events = JSON.stringify(await shop.events(kept));
    const blob = /"blob":\{"hash":"([0-9a-f]{64})"/.exec(events)?.[1] ?? '';
    assert.ok((await client.call('blob.read', { sessionId: kept, hash: blob })).bytes > 50_000, 'used ones stay');
    assert.equal((await files('blobs')).length, 1);

    const [mirror = ''] = await readdir(data('mirrors'));
    assert.match(await plainGit(data('mirrors', mirror), ['for-each-ref']), /turn\/1/);
    await client.call('session.delete', { sessionId: kept });
    await client.call('relay.collect', {});
    assert.deepEqual(await readdir(data('mirrors')), [], 'no session needs the mirror');
    assert.deepEqual(await files('blobs'), []);
    await shop.until(await shop.begin([{ text: 'again' }]), 'a session after it', idle(1), 40_000);
  });

  it('is what a branching left that was killed and never repeated', async () => {
    shop = await openWorkshop(AT_ONCE);
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'echo a > a.txt' } }, { text: 'done' }]);
    const { proposed } = await shop.until(id, 'one turn', idle(1), 40_000);
    const stray = 'ses_01arz3ndektsv4rrffq69g5fav';
    const [mirror = ''] = await readdir(data('mirrors'));
    await plainGit(data('mirrors', mirror), ['update-ref', `refs/sandpiper/${stray}/turn/1`, proposed]);
    await writeFile(data('conversations', `${stray}.jsonl`), '{}\n');
    const refs = () => plainGit(data('mirrors', mirror), ['for-each-ref', '--format=%(refname)', 'refs/sandpiper']);
    assert.match(await refs(), new RegExp(stray));
    // It must be older than the time that it is kept, which is a millisecond here.
    await eventually(async () => {
      const { removed, problems } = await (shop?.client.call('relay.collect', {}) ?? Promise.reject(new Error('none')));
      assert.deepEqual([removed.map(({ kind, name }) => [kind, name]), problems], [[['left', stray]], []]);
    });
    assert.doesNotMatch(await refs(), new RegExp(stray));
    assert.match(await refs(), new RegExp(`${id}/turn/1`), 'those of a session stay');
    assert.deepEqual(await readdir(data('conversations')), [`${id}.jsonl`]);
  });

  it('is never what a session is just writing', async () => {
    shop = await openWorkshop({ ...AT_ONCE, SANDPIPER_GC_MINUTES: '0.002', SANDPIPER_GC_GRACE_MINUTES: '0.05' });
    const outputs = Array.from({ length: 6 }, (_, index) => ({
      tool: 'Bash',
      input: { command: `: ${String(index).repeat(50_000)}` },
    }));
    const id = await shop.begin([...outputs, { text: 'done' }]);
    const state = await shop.until(id, 'one turn', idle(1), 60_000);
    const blobs = state.items.flatMap(item => (item.kind === 'tool' && item.input.blob ? [item.input.blob] : []));
    assert.equal(blobs.length, outputs.length);
    for (const { hash } of blobs) {
      await shop.client.call('blob.read', { sessionId: id, hash });
    }
  });

  it('is a sandbox that belongs to no session: what is in it is saved first', async () => {
    shop = await openWorkshop({ ...AT_ONCE, SANDPIPER_KEEP_DELETED_DAYS: '1' });
    const older = await shop.begin([{ text: 'ok' }]);
    await shop.until(older, 'one turn', idle(1));
    await shop.client.call('session.archive', { sessionId: older, archived: true });
    await shop.relay.stop();
    await cp(data('relay.db'), data('older.db'));
    await shop.relay.start();
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo precious > only-here.txt' } },
      { text: 'ok' },
    ]);
    await shop.until(id, 'one turn', idle(1));
    await shop.client.call('session.archive', { sessionId: id, archived: true });
    await shop.relay.stop();
    // Somebody put the store back to an older state: it knows nothing of that sandbox.
    await rename(data('older.db'), data('relay.db'));
    await shop.relay.start();
    const { removed, problems } = await shop.client.call('relay.collect', {});
    assert.deepEqual(problems, []);
    assert.ok(removed.some(({ kind }) => kind === 'sandbox'));
    assert.equal((await readdir(data('sandboxes'))).length, 1, 'the other one stays');
    const [saved = ''] = await readdir(data('archives/sandboxes'));
    assert.ok((await readFile(data('archives/sandboxes', saved), 'utf8')).includes(id));
    assert.equal((await files('archives/parts')).length, 2);
    await shop.client.call('relay.collect', {});
    assert.equal((await files('archives/parts')).length, 2, 'and stays saved');
  });

  it('is a sandbox that nobody used for long; the next message makes it again', async () => {
    shop = await openWorkshop({
      ...AT_ONCE,
      SANDPIPER_IDLE_MINUTES: '0.01',
      SANDPIPER_GC_MINUTES: '0.01',
      SANDPIPER_SANDBOX_IDLE_DAYS: days(1500),
    });
    const id = await shop.begin([
      {
        tool: 'Bash',
        input: { command: 'echo one > one.txt; mkdir -p .cache; echo two > .cache/two; echo .cache > .gitignore' },
      },
      { text: 'ok' },
    ]);
    await shop.until(id, 'one turn', idle(1));
    const workspace = await shop.workspace(id);
    await writeFile(join(workspace, 'later.txt'), 'later\n');
    const notice = (state: SessionState) =>
      state.items.some(item => item.kind === 'notice' && item.text.startsWith('The sandbox was let go of'));
    const state = await shop.until(id, 'the sandbox is let go of', notice, 40_000);
    assert.match(
      JSON.stringify(state.items.at(-1)),
      /after \d+ seconds? without use; the next message makes it again from turn 1/,
    );
    await eventually(async () => assert.deepEqual(await readdir(data('sandboxes')), []), 10_000);
    const ended = (await shop.events(id)).findLast(({ body }) => body.type === 'agentEnded')?.body;
    assert.match(ended?.type === 'agentEnded' ? ended.cause : '', /let go of at .* without work; the next message/);

    await shop.send(id, [{ tool: 'Bash', input: { command: 'cat one.txt .cache/two later.txt' } }, { text: 'seen' }]);
    const again = await shop.until(id, 'a second turn', idle(2), 40_000);
    assert.equal(again.items.findLast(item => item.kind === 'tool')?.output?.text, 'one\ntwo\nlater');
    assert.equal(again.turns[1]?.agent?.outcome, 'completed');
  });

  it('is told where quotas are spent: nothing is lost, and the way out is named', async () => {
    shop = await openWorkshop({ ...AT_ONCE, SANDPIPER_SESSION_MAX_MB: '0.03' });
    const id = await shop.begin([
      { tool: 'Bash', input: { command: `: ${'x'.repeat(30_000)}; : ${'y'.repeat(2000)}` } },
      { text: 'ok' },
    ]);
    const before = await shop.until(id, 'one turn', idle(1));
    await shop.client.call('relay.collect', {});
    const error = await rejects(shop.send(id, 'more'), 'too_large');
    assert.match(error.hint ?? '', /SANDPIPER_SESSION_MAX_MB/);
    assert.deepEqual(await shop.client.call('session.get', { sessionId: id }), before);
    await shop.until(await shop.begin([{ text: 'another' }]), 'another session works', idle(1), 30_000);
  });
});
