import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import type { DeepCheckResult, Finding } from '../../server/src/core/dataFolderTools.ts';
import { dataFolderTools } from '../../server/src/dataFolderTools.ts';
import { connectNodeSqlite } from '../../server/src/store/sqlite/nodeSqliteConnection.ts';
import { Cli } from '../support/cliProcess.ts';
import { plainGit } from '../support/plainGit.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const tools = dataFolderTools({ path: process.env['PATH'] ?? '' });
const LARGE_TEXT = 'much text '.repeat(5000);

describe('doctor --deep', function () {
  this.timeout(60_000);
  let shop: Workshop;
  let session = '';
  /** A copy of the data folder for each test to damage. */
  let folder = '';
  let copies = 0;

  before(async () => {
    shop = await openWorkshop();
    session = await shop.begin([{ tool: 'Bash', input: { command: 'echo new > new.txt' } }, { text: LARGE_TEXT }]);
    await shop.until(session, 'one turn', idle(1), 40_000);
    const deleted = await shop.begin([{ text: 'Soon gone.' }]);
    await shop.until(deleted, 'one turn', idle(1), 40_000);
    await shop.client.call('session.delete', { sessionId: deleted });
    assert.deepEqual(await check(shop.dataFolder), { ok: true, texts: [] }, 'a relay that runs is sound');
    await shop.client.call('session.archive', { sessionId: session, archived: true });
    await shop.until(session, 'the agent has ended', ({ agent }) => !agent.running);
    await shop.client.call('session.archive', { sessionId: session, archived: false });
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

  async function examine(dataFolder: string, repair = false): Promise<DeepCheckResult & { ok: boolean }> {
    const result = await tools.checkDeeply({ dataFolder, repair, onProgress: () => {} });
    for (const { hint } of result.findings) {
      assert.match(hint, /sandpiper|Recover|backup/, 'each finding says what to do');
    }
    return { ...result, ok: result.findings.every(({ level, repaired }) => level === 'warning' || repaired === true) };
  }

  async function check(path: string): Promise<{ ok: boolean; texts: string[] }> {
    const { ok, findings } = await examine(path);
    return { ok, texts: findings.map(textOf) };
  }

  async function sql(statement: string): Promise<void> {
    const database = await connectNodeSqlite(join(folder, 'relay.db'), { readOnly: false });
    await database.execute('pragma foreign_keys = off', []);
    await database.execute(statement, []);
    await database.close();
  }

  /** Exactly one thing is found, it is this, and looking changes nothing. */
  async function finds(part: Finding['part'], words: RegExp): Promise<Finding> {
    const { ok, findings } = await examine(folder);
    assert.equal(findings.length, 1, JSON.stringify(findings, null, 1));
    const [finding] = findings;
    assert.ok(finding);
    assert.equal(finding.part, part);
    assert.match(finding.text, words);
    assert.equal(ok, finding.level === 'warning');
    assert.deepEqual((await examine(folder)).findings, findings);
    return finding;
  }

  async function mends(): Promise<void> {
    const repaired = await examine(folder, true);
    assert.equal(repaired.ok, true);
    assert.ok(repaired.findings.length > 0 && repaired.findings.every(finding => finding.repaired === true));
    assert.deepEqual(await check(folder), { ok: true, texts: [] });
  }

  /** Nothing that cannot be derived is touched. */
  async function doesNotMend(): Promise<void> {
    const before = await examine(folder);
    assert.deepEqual(await examine(folder, true), before);
  }

  it('finds nothing in a sound folder, and says what it looked at', async () => {
    const { ok, counts, findings } = await examine(folder);
    assert.deepEqual({ ok, findings }, { ok: true, findings: [] });
    assert.deepEqual([counts.sessions, counts.blobs, counts.mirrors], [1, 1, 1]);
    assert.ok(counts.events > 10 && counts.commits >= 2);
    const { code, stdout } = await new Cli(folder).run(['doctor', '--deep']);
    assert.equal(code, 0);
    assert.match(stdout, /^ok {6}looked at 1 sessions, \d+ events, 1 blobs, 1 mirrors, \d commits\n$/);
  });

  it('finds a spec that lacks revisions', async () => {
    await sql(`insert into specs values ('spc_x', 2, 0, 0)`);
    await sql(`insert into spec_revisions values ('spc_x', 2, 0, 'T', 't')`);
    await finds('database', /the spec spc_x lacks revisions/);
  });

  it('finds a gap in a log', async () => {
    await sql('delete from events where seq = 5');
    await finds('log', /cannot be read after event 4: .*event 6 came where 5 was due/);
    const told = await new Cli(folder).run(['doctor', '--deep', '--json']);
    assert.equal(told.code, 1);
    assert.deepEqual(JSON.parse(told.stdout), await examine(folder));
    await doesNotMend();
  });

  it('finds the lost end of a log, and an event that is no event', async () => {
    await sql(`update events set body = '{"type":' where seq = 7`);
    await finds('log', /cannot be read after event 6: .*in the place of an event/);
    await doesNotMend();
  });

  it('finds a row that is not what the log says, and mends it', async () => {
    await sql('update sessions set last_seq = last_seq - 3');
    await finds('row', /ends at event \d+; it ends at \d+/);
    await mends();
    await sql(`update sessions set summary = json_set(summary, '$.queuedMessages', 3)`);
    assert.equal((await finds('row', /something else than the log/)).level, 'warning');
    await mends();
    await sql(`update sessions set summary = 'x'`);
    await finds('row', /something else than the log/);
    await mends();
  });

  it('finds a session without a row', async () => {
    await sql('delete from sessions');
    const { ok, findings } = await examine(folder);
    assert.equal(ok, false);
    assert.deepEqual(
      findings.map(({ part }) => part),
      ['database', 'database', 'row'],
    );
    assert.match(textOf(findings[0]), /(events|inputs) holds rows that belong to no row of sessions/);
  });

  it('finds a payload that is gone, cut or changed', async () => {
    const [file] = (await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true })).filter(entry =>
      entry.isFile(),
    );
    assert.ok(file);
    const path = join(file.parentPath, file.name);
    const bytes = await readFile(path);
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
    await writeFile(path, changed);
    await finds('blob', /^The blob [0-9a-f]{64} (cannot be read|does not have the content)/);
    await truncate(path, 100);
    await finds('blob', /cannot be read/);
    await rm(path);
    await finds('blob', /is missing/);
    await doesNotMend();
  });

  it('finds a deleted session that cannot be restored', async () => {
    const parts = join(folder, 'archives', 'parts');
    assert.equal((await examine(folder)).counts.archives, 1);
    for (const name of await readdir(parts)) {
      await writeFile(join(parts, name), 'another content');
    }
    await finds('archive', /The deleted session cannot be restored: .*does not have its hash/);
    await doesNotMend();
    for (const name of await readdir(join(folder, 'archives', 'sessions'))) {
      await writeFile(join(folder, 'archives', 'sessions', name), '{');
    }
    await finds('archive', /its manifest cannot be read/);
  });

  it('finds a ref that is gone or elsewhere, and mends it while the commit is there', async () => {
    const mirror = await mirrorFolder();
    await plainGit(mirror, ['update-ref', '-d', `refs/sandpiper/${session}/turn/1`]);
    await finds('ref', /turn\/1 is at nothing instead of [0-9a-f]{40}/);
    await mends();
    const base = await plainGit(mirror, ['for-each-ref', '--format=%(objectname)', 'refs/bases']);
    await plainGit(mirror, ['update-ref', `refs/sandpiper/${session}/proposed`, base.trim()]);
    await finds('ref', /proposed is at [0-9a-f]{40} instead of/);
    await mends();
  });

  it('finds that the end of a log is lost, by what the mirror has of it', async () => {
    const mirror = await mirrorFolder();
    const commit = await plainGit(mirror, ['rev-parse', `refs/sandpiper/${session}/turn/1`]);
    await plainGit(mirror, ['update-ref', `refs/sandpiper/${session}/turn/3`, commit]);
    await finds('log', /has the checkpoint of turn 3, and the log ends in turn 1: the end of the log is lost/);
    await doesNotMend();
  });

  it('finds a mirror that lacks objects, and one that is gone', async () => {
    const mirror = await mirrorFolder();
    await rm(join(mirror, 'objects', 'pack'), { recursive: true });
    const { ok, findings } = await examine(folder);
    assert.equal(ok, false);
    assert.ok(
      findings.every(({ part }) => part === 'ref'),
      JSON.stringify(findings),
    );
    await rm(mirror, { recursive: true });
    const gone = await examine(folder);
    assert.equal(gone.ok, false);
    assert.match(textOf(gone.findings[0]), /is not in the mirror/);
  });

  it('finds inputs with a gap, and a position in a journal that is not there', async () => {
    await sql('update inputs set number = 7 where number = 1');
    const { findings } = await examine(folder);
    assert.match(textOf(findings[0]), /The inputs of segment 1 have a gap/);
    assert.equal(findings[0]?.part, 'input');
    await sql('update inputs set number = 1 where number = 7');
    await sql('update sessions set journal_segment = 9');
    await finds('journal', /of segment 9, which is not there/);
  });

  it('finds a damaged database, also one that cannot be opened, and repairs nothing in it', async () => {
    const file = join(folder, 'relay.db');
    const bytes = await readFile(file);
    const middle = Buffer.from(bytes);
    middle.fill(0x5a, 4096 * 4, 4096 * 9);
    await writeFile(file, middle);
    const broken = await examine(folder);
    assert.equal(broken.ok, false);
    assert.ok(broken.findings.some(({ part, hint }) => part === 'database' && /backup restore/.test(hint)));
    await writeFile(file, 'this is no database\n'.repeat(500));
    assert.match(textOf((await examine(folder)).findings[0]), /The database is damaged: .*not a database/);
    await writeFile(file, bytes.subarray(0, 5000));
    assert.equal((await examine(folder)).ok, false);
    await writeFile(file, '');
    assert.equal((await examine(folder)).ok, false);
    await rm(file);
    const none = await new Cli(folder).run(['doctor', '--deep']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /There is no database .*relay\.db/);
  });

  it('refuses to repair while a relay runs, and looks all the same', async () => {
    await shop.relay.start();
    try {
      const { code, stderr } = await new Cli(shop.dataFolder).run(['doctor', '--deep', '--repair']);
      assert.equal(code, 1);
      assert.match(stderr, /Nothing can be repaired in .* while a relay uses it\. Stop that relay/);
      assert.deepEqual(await check(shop.dataFolder), { ok: true, texts: [] });
    } finally {
      await shop.relay.stop();
    }
  });

  async function mirrorFolder(): Promise<string> {
    const [name = ''] = await readdir(join(folder, 'mirrors'));
    return join(folder, 'mirrors', name);
  }
});

function textOf(finding: Finding | undefined): string {
  return finding?.text ?? '';
}
