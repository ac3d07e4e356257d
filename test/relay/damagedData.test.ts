import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { connectNodeSqlite } from '../../server/src/store/sqlite/nodeSqliteConnection.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { RelayProcess, temporaryFolder } from '../support/relayProcess.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);
const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const PAGE_BYTES = 4096;

describe('a damaged data folder', function () {
  this.timeout(60_000);
  let shop: Workshop;
  /** Two sessions, each with a word of its own in its log. */
  let one = '';
  let other = '';
  let folder = '';
  let copies = 0;

  before(async () => {
    shop = await openWorkshop();
    one = await shop.begin([{ text: 'wagtail '.repeat(3000) }]);
    await shop.until(one, 'one turn', idle(1), 40_000);
    other = await shop.begin([{ text: 'plover '.repeat(3000) }]);
    await shop.until(other, 'one turn', idle(1), 40_000);
    for (const sessionId of [one, other]) {
      await shop.client.call('session.archive', { sessionId, archived: true });
      await shop.until(sessionId, 'the agent has ended', ({ agent }) => !agent.running);
    }
    await shop.relay.stop();
  });
  after(async () => {
    await shop.relay.start();
    await shop.dispose();
  });
  beforeEach(async () => {
    folder = join(shop.folder, `copy-${++copies}`);
    await cp(shop.dataFolder, folder, { recursive: true, filter: path => !path.includes('/sandboxes/') });
  });

  /** One sentence and what to do, and every file is as it was. */
  async function refuses(words: RegExp): Promise<void> {
    const before = await contents(folder);
    const { code, stdout, stderr } = await new Cli(folder).run(['serve']);
    assert.equal(code, 4, stderr);
    assert.equal(stdout, '');
    const lines = stderr.trimEnd().split('\n');
    assert.match(lines.at(-1) ?? '', words);
    assert.equal(lines.filter(line => !line.startsWith('{')).length, 1, stderr);
    assert.deepEqual(await contents(folder), before);
  }

  const database = () => join(folder, 'relay.db');

  it('whose database is gone, empty or without its write-ahead log is not taken for a new one', async () => {
    const words =
      /^The database .*relay\.db is gone or empty.*restore a backup.*another folder.*Nothing has been changed/;
    await rename(database(), join(folder, 'elsewhere.db'));
    await refuses(words);
    await writeFile(database(), '');
    await refuses(words);
    // As it is when everything stood in the write-ahead log, and that was left behind.
    await rm(database());
    const empty = await connectNodeSqlite(database(), { readOnly: false });
    await empty.execute('pragma journal_mode = wal', []);
    await empty.close();
    assert.ok((await stat(database())).size > 0);
    await refuses(words);
    await rename(join(folder, 'elsewhere.db'), database());
    const { code, stdout } = await new Cli(folder).run(['doctor', '--deep']);
    assert.equal(code, 0, stdout);
  });

  it('whose database was cut or is none says so and names the way out', async () => {
    const words =
      /^The relay's database is damaged: .*Keep .*relay\.db\. Run `sandpiper doctor --deep`.*sandpiper backup restore/;
    const bytes = await readFile(database());
    await writeFile(database(), bytes.subarray(0, Math.floor(bytes.length / 2 / PAGE_BYTES) * PAGE_BYTES));
    await refuses(words);
    await writeFile(database(), 'this is no database\n'.repeat(1000));
    await refuses(words);
  });

  it('with a damaged page costs the sessions in it, and no other', async () => {
    const bytes = await readFile(database());
    // The pages that hold nothing but a part of the one long text.
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      const page = bytes.subarray(at, at + PAGE_BYTES);
      if (page.toString('latin1').split('wagtail').length > 400) {
        page.fill(0x5a);
      }
    }
    assert.ok(bytes.includes('plover'));
    await writeFile(database(), bytes);
    const relay = new RelayProcess({ dataFolder: folder, env: {} });
    await relay.start();
    const client = relay.client();
    client.connect();
    try {
      await assert.rejects(
        client.call('session.get', { sessionId: one }),
        (error: { code?: string; message?: string; hint?: string }) => {
          assert.equal(error.code, 'internal');
          assert.match(error.hint ?? '', /sandpiper doctor --deep/);
          return true;
        },
      );
      assert.equal((await client.call('session.get', { sessionId: other })).turns.length, 1);
      assert.equal((await client.call('session.list', { archived: true })).sessions.length, 2);
    } finally {
      client.dispose();
      await relay.stop();
    }
    const { code, stdout } = await new Cli(folder).run(['doctor', '--deep']);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`failed {2}log of ${one}: `));
    assert.ok(!stdout.includes(`log of ${other}`), stdout);
  });

  it('whose database another program holds says so, and nothing else is wrong', async () => {
    const holder = await connectNodeSqlite(database(), { readOnly: false });
    await holder.execute('pragma locking_mode = exclusive', []);
    await holder.execute('begin exclusive', []);
    const { code, stderr } = await new Cli(folder).run(['serve']);
    assert.equal(code, 4);
    assert.match(stderr, /Another program holds .*relay\.db locked\. Close programs that have this database open/);
    await holder.execute('rollback', []);
    await holder.close();
    assert.equal((await new Cli(folder).run(['doctor', '--deep'])).code, 0);
  });
});

describe('a data folder that changes under a relay', function () {
  this.timeout(60_000);
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let folder = '';
  let mounted = false;
  const relays: RelayProcess[] = [];

  beforeEach(async () => {
    scratch = await temporaryFolder();
    folder = join(scratch.path, 'data');
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map(relay => relay.stop('SIGKILL')));
    if (mounted) {
      await run('umount', ['-l', folder]);
      mounted = false;
    }
    await scratch.remove();
  });

  async function start(): Promise<RelayProcess> {
    const relay = new RelayProcess({ dataFolder: folder, env: {} });
    relays.push(relay);
    await relay.start();
    return relay;
  }

  it('by being removed ends the relay with a clear word', async () => {
    const relay = await start();
    await rm(folder, { recursive: true });
    await relay.ended();
    assert.match(relay.log, /The data folder .*data, or the database in it, was removed or replaced.*restore a backup/);
  });

  it('by being replaced ends the relay, which leaves the new one alone', async () => {
    const first = await start();
    await rename(folder, join(scratch.path, 'moved'));
    const second = await start();
    await first.ended();
    assert.match(first.log, /was removed or replaced/);
    const address = await readFile(join(folder, 'relay.json'), 'utf8');
    assert.ok(address.includes(`"pid":${second.pid}`), address);
    assert.ok((await fetch(`${second.url}/livez`)).ok);
  });

  it('and can only be read is refused', async function () {
    await mkdir(folder);
    try {
      await run('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=700', 'tmpfs', folder]);
      mounted = true;
    } catch {
      requireOrSkip(this, 'read-only data folder', false, 'tmpfs cannot be mounted');
    }
    await (await start()).stop();
    await run('mount', ['-o', 'remount,ro', folder]);
    const before = await contents(folder);
    const { code, stderr } = await new Cli(folder).run(['serve']);
    assert.equal(code, 4);
    assert.match(stderr, /^The data folder .*data cannot be used: .*read-only.*SANDPIPER_DATA/);
    assert.deepEqual(await contents(folder), before);
    await run('mount', ['-o', 'remount,rw', folder]);
    await (await start()).stop();
  });

  it('by a lock that another program takes costs nothing: calls say so, and succeed afterwards', async () => {
    const relay = await start();
    const client = relay.client();
    client.connect();
    try {
      const holder = await connectNodeSqlite(join(folder, 'relay.db'), { readOnly: false });
      await holder.execute('begin immediate', []);
      const { checks } = await client.call('relay.checks', {});
      const store = checks.find(({ name }) => name === 'store');
      assert.equal(store?.status, 'failed');
      assert.match(store.detail, /Another program holds .*relay\.db locked/);
      await holder.execute('rollback', []);
      await holder.close();
      await eventually(async () => {
        const again = await client.call('relay.checks', {});
        assert.equal(again.checks.find(({ name }) => name === 'store')?.status, 'ok');
      });
    } finally {
      client.dispose();
    }
  });
});

/** Every file but those that SQLite and a start make beside the data, with its content. */
async function contents(folder: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !/-(wal|shm)$|relay\.lock|token$/.test(entry.name)) {
      all.set(path, (await readFile(path)).toString('base64'));
    }
  }
  return all;
}
