import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { SessionEvent } from '../../protocol/events.ts';
import type { SessionState } from '../../protocol/session.ts';
import { errorText, toSandpiperError } from '../../protocol/errors.ts';
import { encodeTarHeader } from '../../server/src/backup/tarHeader.ts';
import { dataFolderTools } from '../../server/src/dataFolderTools.ts';
import { Cli, type CliResult } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { CLAUDE, RelayProcess } from '../support/relayProcess.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);
const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
/** Too large for the log, so it becomes a blob. */
const LARGE_TEXT = 'much text '.repeat(5000);

const tools = dataFolderTools({ path: process.env['PATH'] ?? '' });

describe('a backup', function () {
  this.timeout(120_000);
  let shop: Workshop;
  let cli: Cli;
  let backup = '';
  /** A session that is done, one that runs while the backup is made, and the log of both at that time. */
  let done = '';
  let running = '';
  let deleted = '';
  let before_: SessionEvent[] = [];

  before(async () => {
    shop = await openWorkshop();
    cli = new Cli(shop.dataFolder);
    backup = join(shop.folder, 'backup.tar');
    done = await shop.begin([{ tool: 'Bash', input: { command: 'echo new > new.txt' } }, { text: LARGE_TEXT }], {
      title: 'Done',
    });
    await shop.until(done, 'one turn', idle(1), 60_000);
    await shop.client.call('changes.acceptAll', {
      sessionId: done,
      expectedProposed: (await shop.client.call('session.get', { sessionId: done })).proposed,
    });
    const words = Array.from({ length: 3000 }, (_, index) => `word${index}`).join(' ');
    running = await shop.begin(
      [
        { tool: 'Bash', input: { command: 'echo begun > begun.txt' } },
        { text: words, deltas: 3000, delayMs: 5 },
      ],
      { title: 'Running' },
    );
    await shop.until(running, 'the turn runs', ({ items }) => items.some(item => item.kind === 'tool'), 60_000);
    before_ = await shop.events(running);
    deleted = await shop.begin([{ text: LARGE_TEXT }]);
    await shop.until(deleted, 'one turn', idle(1), 60_000);
    await shop.client.call('session.delete', { sessionId: deleted });
  });
  after(async () => {
    await shop.dispose();
  });

  async function fails(args: string[], code: number, words: RegExp): Promise<CliResult> {
    const result = await cli.run(args);
    assert.equal(result.code, code, result.stderr + result.stdout);
    assert.match(result.stderr, words);
    return result;
  }

  it('is made while a turn runs, which goes on meanwhile, and holds no secret', async () => {
    // The relay answers, writes and streams between the beginning and the end of the backup.
    let answered = 0;
    let deltas = 0;
    const following = shop.client.follow(running, (_mirror, change) => {
      deltas += change.kind === 'live' ? 1 : 0;
    });
    const making = cli.start(['backup', backup, '--json']);
    while (making.exitCode === null && making.signalCode === null) {
      await shop.client.call('session.rename', { sessionId: done, title: `Renamed ${answered}` });
      answered++;
    }
    const result = await making.result;
    following.dispose();
    assert.equal(result.code, 0, result.stderr);
    assert.ok(answered > 3, 'calls were answered');
    assert.ok(deltas > 3, 'text came');
    const summary = JSON.parse(result.stdout);
    assert.equal(summary.file, backup);
    assert.deepEqual(summary.warnings, []);
    assert.equal(summary.counts.sessions, 2);
    assert.equal(summary.counts.archives, 1);
    assert.equal(summary.counts.blobs, 1);
    assert.equal(summary.counts.mirrors, 1);
    assert.equal((await stat(backup)).mode & 0o777, 0o600);
    assert.deepEqual(
      (await readdir(shop.folder)).filter(name => name.includes('partial')),
      [],
    );
    const bytes = await readFile(backup);
    const token = (await readFile(join(shop.dataFolder, 'token'), 'utf8')).trim();
    for (const secret of [token, REAL_KEY]) {
      assert.equal(bytes.includes(secret), false);
    }
    const listed = (await run('tar', ['-tf', backup])).stdout.split('\n');
    assert.ok(listed.includes('relay.db') && listed.includes('manifest.jsonl'), 'tar can read it');
    const verified = await cli.run(['backup', 'verify', backup, '--json']);
    assert.deepEqual(JSON.parse(verified.stdout), summary);
  });

  it('is not written over another file, and goes into a folder under the name of its time', async () => {
    const size = (await stat(backup)).size;
    await fails(['backup', backup], 1, /backup\.tar exists already\. Choose another name/);
    assert.equal((await stat(backup)).size, size);
    const folder = join(shop.folder, 'backups');
    await mkdir(folder);
    const { code, stdout } = await cli.run(['backup', folder]);
    assert.equal(code, 0);
    const [name = ''] = await readdir(folder);
    assert.match(name, /^sandpiper-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.tar$/);
    assert.ok(stdout.includes(name));
  });

  it('restored: the same log, blobs and checkpoints, and it passes the integrity check', async () => {
    const folder = join(shop.folder, 'restored');
    const restored = await cli.run(['backup', 'restore', backup, '--into', folder, '--json']);
    assert.equal(restored.code, 0, restored.stderr + restored.stdout);
    const { check } = JSON.parse(restored.stdout);
    assert.deepEqual(
      check.findings.filter(({ level }: { level: string }) => level === 'error'),
      [],
    );
    assert.equal(check.counts.blobs, 1);
    assert.ok(check.counts.commits >= 2);
    const relay = new RelayProcess({
      dataFolder: folder,
      env: { ANTHROPIC_BASE_URL: shop.model.url, ANTHROPIC_API_KEY: REAL_KEY, SANDPIPER_CLAUDE: CLAUDE },
    });
    await relay.start();
    const client = relay.client();
    client.connect();
    try {
      const { events } = await client.call('session.events', { sessionId: running, limit: 1000 });
      assert.deepEqual(events.slice(0, before_.length), before_);
      // Its sandbox is not here: the turn is closed, says so, and begins anew.
      await eventually(async () => {
        const after = await client.call('session.events', { sessionId: running, after: before_.length, limit: 1000 });
        const lost = after.events.find(({ body }) => body.type === 'sandboxLost')?.body;
        assert.ok(lost?.type === 'sandboxLost' && lost.turn === 1, JSON.stringify(after.events));
      }, 20_000);
      const state = await client.call('session.get', { sessionId: done });
      const text = state.items.find(item => item.kind === 'text');
      assert.ok(text?.kind === 'text' && text.text.blob);
      const { content } = await client.call('blob.read', { sessionId: done, hash: text.text.blob.hash });
      assert.equal(Buffer.from(content, 'base64').toString().trimEnd(), LARGE_TEXT.trimEnd());
      const { diff } = await client.call('changes.diff', { sessionId: done });
      assert.match(diff, /\+new/);
      assert.equal(state.review.pending, 0);
      await client.call('session.restore', { sessionId: deleted });
      assert.equal((await client.call('session.get', { sessionId: deleted })).turns.length, 1);
      // Both go on: the sandbox is made again from the last checkpoint, without the repository that it came from.
      await rename(shop.repository, `${shop.repository}.gone`);
      for (const sessionId of [done, running]) {
        const prompt = `Please do this: @@${JSON.stringify([{ tool: 'Bash', input: { command: 'ls' } }, { text: 'Still here.' }])}`;
        await client.call('session.send', { sessionId, text: prompt });
        await eventually(async () => {
          const { items, phase } = await client.call('session.get', { sessionId });
          assert.equal(phase.kind, 'idle', JSON.stringify(phase));
          assert.ok(items.some(item => item.kind === 'text' && item.text.text === 'Still here.'));
        }, 60_000);
      }
      const { items } = await client.call('session.get', { sessionId: done });
      assert.equal(
        items.some(item => item.kind === 'notice' && /What the agent remembered/.test(item.text)),
        false,
        'the agent remembers',
      );
      const listed = (await client.call('session.get', { sessionId: done })).items.findLast(
        item => item.kind === 'tool',
      );
      assert.match(listed?.kind === 'tool' ? (listed.output?.text ?? '') : '', /new\.txt/);
      const token = await readFile(join(folder, 'token'), 'utf8');
      assert.notEqual(token, await readFile(join(shop.dataFolder, 'token'), 'utf8'));
      for (const sessionId of [done, running]) {
        await client.call('session.archive', { sessionId, archived: true });
        await eventually(async () =>
          assert.equal((await client.call('session.get', { sessionId })).agent.running, false),
        );
      }
    } finally {
      await rename(`${shop.repository}.gone`, shop.repository).catch(() => {});
      client.dispose();
      await relay.stop();
    }
  });

  it('is refused into a folder that is not empty or that a relay uses, which stays as it is', async () => {
    const folder = join(shop.folder, 'mine');
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.txt'), 'years of work');
    await fails(['backup', 'restore', backup, '--into', folder], 1, /mine is not empty: it holds thesis\.txt/);
    assert.deepEqual(await readdir(folder), ['thesis.txt']);
    await fails(['backup', 'restore', backup, '--into', shop.dataFolder], 1, /data is not empty/);
  });

  it('that is cut, changed at any place or none is refused, and nothing is written', async function () {
    const whole = await readFile(backup);
    const folder = join(shop.folder, 'never');
    const bad = join(shop.folder, 'bad.tar');
    const refuses = async (bytes: Buffer, words: RegExp) => {
      await writeFile(bad, bytes);
      await assert.rejects(
        tools.restoreBackup({ file: bad, dataFolder: folder, onProgress: () => {} }),
        (error: unknown) => words.test(errorText(toSandpiperError(error))),
      );
      await assert.rejects(stat(folder), /ENOENT/);
    };
    await refuses(whole.subarray(0, whole.length - 700), /bad\.tar is damaged: its end is missing.*Use another copy/);
    await refuses(whole.subarray(0, Math.floor(whole.length / 2)), /is damaged: its end is missing/);
    await refuses(Buffer.concat([whole, Buffer.from('x')]), /is damaged: its checksum/);
    const flipped = Buffer.from(whole);
    const place = Math.floor(whole.length / 3);
    flipped.writeUInt8(flipped.readUInt8(place) ^ 1, place);
    await refuses(flipped, /is damaged: /);
    await refuses(Buffer.from('hello'), /is not a backup of Sandpiper/);
    await refuses(Buffer.alloc(0), /is not a backup of Sandpiper/);
    const start = JSON.stringify({ format: 'sandpiper-backup', formatVersion: 99, version: '9.9.9', createdAt: 0 });
    const newer = Buffer.alloc(1024);
    encodeTarHeader({ name: 'sandpiper-backup.json', bytes: start.length }).copy(newer);
    newer.write(start, 512);
    await refuses(newer, /was made by a newer Sandpiper \(9\.9\.9\)\. Update Sandpiper/);
    await fails(['backup', 'restore', join(shop.folder, 'none.tar'), '--into', folder], 1, /none\.tar cannot be read/);
    await fails(['backup', 'verify', bad], 1, /was made by a newer Sandpiper/);
  });

  it('leaves nothing behind when it is interrupted or cannot be written', async () => {
    const target = join(shop.folder, 'stopped', 'backup.tar');
    const making = cli.start(['backup', target]);
    await eventually(async () => assert.ok((await readdir(join(shop.folder, 'stopped'))).length > 0));
    making.kill('SIGINT');
    const { code } = await making.result;
    const left = await readdir(join(shop.folder, 'stopped'));
    // It may have been done before the signal came; then the file is whole.
    assert.deepEqual(left, code === 0 ? ['backup.tar'] : []);
    await fails(['backup', '/proc/backup.tar'], 1, /cannot be written|No such|ENOENT/);
    const nothing = new Cli(join(shop.folder, 'nothing'));
    const result = await nothing.run(['backup', join(shop.folder, 'empty.tar')]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /There is no database .*nothing\/relay\.db.*SANDPIPER_DATA/);
    await assert.rejects(open(join(shop.folder, 'empty.tar')), /ENOENT/);
  });
});
