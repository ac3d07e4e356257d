import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ApplyRecords } from '../../../landing/applyRecord.ts';
import { applyPlan, cutOff, finishApply, lastApply, undoApply } from '../../../landing/applyChanges.ts';
import { resolveConflict } from '../../../landing/resolveConflict.ts';
import { isSafePath } from '../../../landing/paths.ts';
import { ApplyWorld } from '../../support/applyWorld.ts';
import { runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { folderState } from '../git/folderState.ts';

const LINES = 'one\ntwo\nthree\nfour\nfive\n';

describe('applying to a folder', function () {
  this.timeout(30_000);
  const folder = useTempFolder();
  const conflicts = async (world: ApplyWorld) =>
    (await world.plan()).conflicts.map(({ path, reason }) => [path, reason]);
  const read = (world: ApplyWorld, path: string) => readFileSync(join(world.root, path), 'latin1');

  it('touches neither the index nor anything else of git', async () => {
    const world = new ApplyWorld(folder(), { a: LINES });
    world.agent(root => writeFiles(root, { a: `${LINES}six\n`, b: 'new' }));
    const before = folderState(join(world.root, '.git'));
    await world.apply();
    assert.equal(read(world, 'a'), `${LINES}six\n`);
    assert.deepEqual(folderState(join(world.root, '.git')), before);
  });

  it('brings binaries, links, modes, deletes and folders that become files, and undoes all at once', async () => {
    const world = new ApplyWorld(folder(), { bin: Buffer.from([0, 1, 2]), run: 'x\n', gone: 'x', 'd/x': 'x', f: 'x' });
    world.agent(root => {
      writeFiles(root, { bin: Buffer.from([0, 255, 254]), 'new/deep/file': 'no end' });
      chmodSync(join(root, 'run'), 0o755);
      rmSync(join(root, 'gone'));
      rmSync(join(root, 'd'), { recursive: true });
      rmSync(join(root, 'f'));
      writeFiles(root, { d: 'a file now', 'f/g': 'a folder now' });
      symlinkSync('run', join(root, 'link'));
    });
    const before = folderState(world.root).map(line => line.replace(/ \d{15,}/, ''));
    const record = await world.apply();
    assert.deepEqual(readFileSync(join(world.root, 'bin')), Buffer.from([0, 255, 254]));
    assert.equal(lstatSync(join(world.root, 'run')).mode & 0o111, 0o111);
    assert.equal(readlinkSync(join(world.root, 'link')), 'run');
    assert.deepEqual(
      [read(world, 'd'), read(world, 'f/g'), existsSync(join(world.root, 'gone'))],
      ['a file now', 'a folder now', false],
    );
    assert.equal(
      runGit(join(folder(), 'agent'), ['--work-tree', world.root, 'status', '--porcelain', '--no-renames']),
      '',
    );
    await undoApply(world.records, record);
    assert.deepEqual(
      folderState(world.root).map(line => line.replace(/ \d{15,}/, '')),
      before,
    );
    assert.equal(await lastApply(world.records, world.root), undefined);
  });

  it('merges a new mode with new content, also where that is no text', async () => {
    const world = new ApplyWorld(folder(), { 'mine.bin': Buffer.from([0, 1]), 'theirs.bin': Buffer.from([0, 2]) });
    world.agent(root => {
      chmodSync(join(root, 'mine.bin'), 0o755);
      writeFiles(root, { 'theirs.bin': Buffer.from([0, 3]) });
    });
    writeFiles(world.root, { 'mine.bin': Buffer.from([0, 4]) });
    chmodSync(join(world.root, 'theirs.bin'), 0o755);
    assert.deepEqual((await world.plan()).conflicts, []);
    await world.apply();
    for (const [name, byte] of Object.entries({ 'mine.bin': 4, 'theirs.bin': 3 })) {
      assert.deepEqual(readFileSync(join(world.root, name)), Buffer.from([0, byte]));
      assert.equal(lstatSync(join(world.root, name)).mode & 0o111, 0o111);
    }
  });

  it('merges your changes into a file that the agent moved, and moves what it only moved', async () => {
    const world = new ApplyWorld(folder(), { 'a.txt': LINES, 'b.txt': LINES.toUpperCase() });
    world.agent(root => {
      renameSync(join(root, 'a.txt'), join(root, 'moved.txt'));
      writeFileSync(join(root, 'moved.txt'), LINES.replace('five', 'FIVE'));
      renameSync(join(root, 'b.txt'), join(root, 'c.txt'));
    });
    writeFiles(world.root, { 'a.txt': LINES.replace('one', 'mine'), 'b.txt': `${LINES.toUpperCase()}mine` });
    const record = await world.apply();
    assert.equal(read(world, 'moved.txt'), LINES.replace('one', 'mine').replace('five', 'FIVE'));
    assert.equal(read(world, 'c.txt'), `${LINES.toUpperCase()}mine`);
    assert.ok(!existsSync(join(world.root, 'a.txt')) && !existsSync(join(world.root, 'b.txt')));
    await undoApply(world.records, record);
    assert.equal(read(world, 'a.txt'), LINES.replace('one', 'mine'));
    assert.ok(!existsSync(join(world.root, 'moved.txt')));
  });

  it('keeps the line ends of your files, a BOM and a missing end, and bytes that are no UTF-8', async () => {
    const crlf = LINES.replaceAll('\n', '\r\n');
    const latin = Buffer.from('caf\xe9\ntwo\nthree\nfour\nfive', 'latin1');
    const world = new ApplyWorld(folder(), { plain: LINES, bom: `\uFEFF${LINES}`, latin });
    world.agent(root => {
      writeFiles(root, { plain: `${LINES}six\n`, bom: `\uFEFF${LINES}six\n` });
      writeFileSync(join(root, 'latin'), Buffer.concat([latin, Buffer.from('!')]));
    });
    writeFiles(world.root, { plain: crlf.replace('one', 'mine') });
    writeFileSync(join(world.root, 'latin'), Buffer.concat([Buffer.from('\xe9\n', 'latin1'), latin]));
    const record = await world.apply();
    assert.deepEqual(record.conflicts, []);
    assert.equal(read(world, 'plain'), `${crlf}six\r\n`.replace('one', 'mine'));
    assert.equal(readFileSync(join(world.root, 'bom'), 'utf8'), `\uFEFF${LINES}six\n`);
    assert.equal(read(world, 'latin'), `\xe9\n${latin.toString('latin1')}!`);
  });

  it('writes line ends as git would here', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, '.gitattributes': '*.bin -text\n' });
    runGit(world.root, ['config', 'core.autocrlf', 'true']);
    rmSync(join(world.root, 'a'));
    runGit(world.root, ['checkout', '-q', '--', 'a']);
    assert.match(read(world, 'a'), /\r\n/);
    world.agent(root => writeFiles(root, { a: `${LINES}six\n`, b: 'new\n', 'c.bin': 'as is\n' }));
    await world.apply();
    assert.deepEqual(
      [read(world, 'a'), read(world, 'b'), read(world, 'c.bin')],
      [`${LINES}six\n`.replaceAll('\n', '\r\n'), 'new\r\n', 'as is\n'],
    );
  });

  it('runs no filter of the user’s for what the agent wrote', async () => {
    const world = new ApplyWorld(folder(), { a: 'a\n' });
    runGit(world.root, ['config', 'filter.evil.smudge', `touch ${join(folder(), 'ran')}`]);
    world.agent(root => writeFiles(root, { '.gitattributes': '* filter=evil\n', a: 'b\n' }));
    await world.apply();
    assert.equal(read(world, 'a'), 'b\n');
    assert.ok(!existsSync(join(folder(), 'ran')));
  });

  it('never writes through a link, into git’s own files, into another repository or over other files of yours', async () => {
    const world = new ApplyWorld(folder(), { a: 'a\n', 'dir/x': 'x', 'rep/x': 'x', 'ro/x': 'x' });
    const outside = join(folder(), 'outside');
    mkdirSync(outside);
    world.agent(root => {
      writeFiles(root, { 'dir/x': 'evil', 'dir/new': 'evil', 'rep/new': 'n', 'ro/x': 'n', mine: 'theirs' });
      rmSync(join(root, 'a'));
      writeFiles(root, { 'a/deep': 'd' });
    });
    rmSync(join(world.root, 'dir'), { recursive: true });
    symlinkSync(outside, join(world.root, 'dir'));
    writeFiles(world.root, { 'rep/.git': 'gitdir: elsewhere', mine: 'my own' });
    chmodSync(join(world.root, 'ro/x'), 0o444);
    const record = await world.apply();
    assert.deepEqual(record.conflicts.map(({ path, reason }) => `${path} ${reason}`).toSorted(), [
      'dir/new linkOnTheWay',
      'dir/x linkOnTheWay',
      'mine bothAdded',
      'rep/new nestedRepository',
      'ro/x readOnly',
    ]);
    assert.deepEqual(folderState(outside), []);
    assert.deepEqual([read(world, 'mine'), read(world, 'ro/x'), read(world, 'a/deep')], ['my own', 'x', 'd']);
  });

  it('keeps a folder of yours where the agent has a file', async () => {
    const world = new ApplyWorld(folder(), { 'd/x': 'x' });
    world.agent(root => {
      rmSync(join(root, 'd'), { recursive: true });
      writeFiles(root, { d: 'file' });
    });
    writeFiles(world.root, { 'd/mine': 'mine' });
    assert.deepEqual(await conflicts(world), [['d', 'folderInTheWay']]);
  });

  it('renames by capital letters only, and keeps a file of yours whose name is nearly the same', async () => {
    const world = new ApplyWorld(folder(), { 'readme.md': LINES });
    runGit(world.root, ['config', 'core.ignorecase', 'true']);
    world.agent(root => {
      renameSync(join(root, 'readme.md'), join(root, 'README.md'));
      writeFiles(root, { 'new.txt': 'n' });
    });
    const record = await world.apply();
    assert.ok(existsSync(join(world.root, 'README.md')) && !existsSync(join(world.root, 'readme.md')));
    await undoApply(world.records, record);
    assert.equal(read(world, 'readme.md'), LINES);
  });

  it('says of names that cannot be used that they cannot', () => {
    for (const path of [
      '.git/config',
      'a/.GIT/x',
      '../x',
      'a//b',
      '',
      '.git./x',
      'git~1/x',
      'a\0',
      '.g\u200cit/x',
      'a\uFFFD',
    ]) {
      assert.equal(isSafePath(path, 'linux'), false, path);
    }
    for (const path of ['con', 'a/aux.txt', 'a:b', 'a\\b', 'end.', 'x\ny']) {
      assert.equal(isSafePath(path, 'win32'), false, path);
      assert.equal(isSafePath(path, 'linux'), true, path);
    }
  });

  it('merges into unsaved text, and leaves alone what it cannot read', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, b: LINES, c: LINES });
    world.agent(root => {
      writeFiles(root, { a: LINES.replace('five', 'FIVE'), b: LINES.replace('five', 'FIVE') });
      rmSync(join(root, 'c'));
    });
    const before = read(world, 'a');
    const typed = LINES.replace('one', 'typed');
    const plan = await world.plan(path => (path === 'b' ? { unknown: true } : { bytes: Buffer.from(typed) }));
    assert.deepEqual(
      plan.edits.map(({ path, after }) => [path, after.toString()]),
      [['a', typed.replace('five', 'FIVE')]],
    );
    assert.deepEqual(
      plan.conflicts.map(({ path, reason }) => [path, reason]),
      [
        ['c', 'agentDeleted'],
        ['b', 'unsaved'],
      ],
    );
    assert.equal(read(world, 'a'), before);
  });

  it('does the rest when applied again, once a conflict is out of the way', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, b: LINES });
    world.agent(root => writeFiles(root, { a: LINES.replace('one', 'theirs'), b: `${LINES}six\n` }));
    writeFiles(world.root, { a: LINES.replace('one', 'mine') });
    const record = await world.apply();
    assert.deepEqual(record.conflicts, [
      {
        path: 'a',
        oursPath: 'a',
        reason: 'bothChanged',
        has: ['base', 'ours', 'theirs', 'marked'],
        resolved: false,
      },
    ]);
    assert.match(readFileSync(world.records.conflictOf(record, 0, 'marked') ?? '', 'utf8'), /<<<<<<< Yours\nmine/);
    writeFiles(world.root, { a: LINES });
    const plan = await world.plan();
    assert.deepEqual([plan.same, plan.files.map(({ path }) => path), plan.conflicts], [['b'], ['a'], []]);
  });

  it('takes what a conflict was resolved to, unless you changed the file since, and can undo that too', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, gone: LINES });
    world.agent(root => {
      writeFiles(root, { a: LINES.replace('one', 'theirs') });
      rmSync(join(root, 'gone'));
    });
    writeFiles(world.root, { a: LINES.replace('one', 'mine'), gone: 'mine' });
    const record = await world.apply();
    const user = await world.user();
    const [first, second] = ['a', 'gone'].map(path => record.conflicts.findIndex(one => one.path === path));
    const resolved = { bytes: Buffer.from('both') };
    writeFiles(world.root, { a: 'saved since' });
    await assert.rejects(resolveConflict(world.records, user, record, { index: first ?? -1, content: resolved }), {
      code: 'conflict',
    });
    writeFiles(world.root, { a: LINES.replace('one', 'mine') });
    await resolveConflict(world.records, user, record, { index: first ?? -1, content: resolved });
    await resolveConflict(world.records, user, record, { index: second ?? -1, content: undefined });
    assert.deepEqual([read(world, 'a'), existsSync(join(world.root, 'gone'))], ['both', false]);
    const latest = (await world.records.list(world.root)).find(({ id }) => id === record.id);
    assert.deepEqual(
      latest?.conflicts.map(one => one.resolved),
      [true, true],
    );
    for (const expected of ['both', LINES.replace('one', 'mine')]) {
      const last = await lastApply(world.records, world.root);
      assert.ok(last);
      await undoApply(world.records, last);
      assert.equal(read(world, 'a'), expected);
    }
    assert.equal(read(world, 'gone'), 'mine');
  });

  it('refuses an undo of what you changed since, names it, and undoes the others when asked', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, b: LINES });
    world.agent(root => writeFiles(root, { a: 'A', b: 'B' }));
    const record = await world.apply();
    writeFiles(world.root, { a: 'mine' });
    await assert.rejects(undoApply(world.records, record), {
      code: 'conflict',
      message: /a\./,
      details: { changed: ['a'] },
    });
    assert.equal(read(world, 'b'), 'B');
    const { undone, left } = await undoApply(world.records, record, { others: true });
    assert.deepEqual([undone, left, read(world, 'a'), read(world, 'b')], [['b'], ['a'], 'mine', LINES]);
  });

  it('stops at a file that you save in the middle, with everything as it was', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, b: LINES });
    world.agent(root => writeFiles(root, { a: 'A', b: 'B', c: 'C' }));
    const plan = await world.plan();
    writeFiles(world.root, { b: 'saved meanwhile' });
    await assert.rejects(world.apply(plan), { code: 'conflict', message: /Changed since: b\. Nothing was changed\./ });
    assert.deepEqual(
      [read(world, 'a'), read(world, 'b'), existsSync(join(world.root, 'c'))],
      [LINES, 'saved meanwhile', false],
    );
  });

  it('takes back what it did when a file of yours appears in the very middle', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, b: LINES });
    world.agent(root => {
      writeFiles(root, { a: 'A', c: 'C' });
      rmSync(join(root, 'b'));
    });
    class Racing extends ApplyRecords {
      override contentOf(...args: Parameters<ApplyRecords['contentOf']>): string {
        if (existsSync(super.contentOf(...args)) && args[2] === 'after') {
          writeFiles(world.root, { c: 'mine' });
        }
        return super.contentOf(...args);
      }
    }
    const plan = await world.plan();
    const about = { sessionId: 'ses_x', title: 't', commit: world.base, from: 'all' as const };
    const racing = new Racing(join(folder(), 'applies'));
    await assert.rejects(applyPlan(racing, await world.user(), plan, { about }), {
      code: 'conflict',
      message: 'Changed since: c. Nothing was changed.',
    });
    assert.deepEqual([read(world, 'a'), read(world, 'b'), read(world, 'c')], [LINES, LINES, 'mine']);
    assert.equal(await lastApply(racing, world.root), undefined);
  });

  it('leaves everything as it was where a folder cannot be written', async () => {
    const world = new ApplyWorld(folder(), { a: LINES, 'locked/b': LINES });
    world.agent(root => writeFiles(root, { a: 'A', 'locked/b': 'B' }));
    chmodSync(join(world.root, 'locked'), 0o555);
    const before = folderState(world.root);
    const endUser = becomeUser(folder());
    try {
      await assert.rejects(world.apply(), { code: 'forbidden', message: /Nothing was changed/ });
      assert.deepEqual(
        folderState(world.root).filter(line => !line.includes('/ ')),
        before.filter(line => !line.includes('/ ')),
      );
    } finally {
      endUser();
      chmodSync(join(world.root, 'locked'), 0o755);
    }
  });

  it('can be finished or undone after it was cut off in the middle', async () => {
    for (const how of ['finish', 'undo'] as const) {
      const world = new ApplyWorld(join(folder(), how), { a: LINES, b: LINES, c: LINES });
      world.agent(root => {
        writeFiles(root, { a: 'A', b: 'B' });
        rmSync(join(root, 'c'));
      });
      const record = await world.apply();
      // As a process leaves it that was killed between two renames.
      await world.records.write({ ...record, phase: 'applying', pid: 0 });
      writeFileSync(join(world.root, 'b'), LINES);
      writeFileSync(join(world.root, `.sandpiper-${record.id}-1.tmp`), 'half');
      const found = await cutOff(world.records, world.root);
      assert.equal(found?.id, record.id);
      await (how === 'finish' ? finishApply : undoApply)(world.records, found);
      assert.deepEqual(
        [read(world, 'a'), read(world, 'b'), existsSync(join(world.root, 'c'))],
        how === 'finish' ? ['A', 'B', false] : [LINES, LINES, true],
      );
      assert.equal(await cutOff(world.records, world.root), undefined);
      assert.equal(runGit(world.root, ['ls-files', '--others']), '');
      unlinkSync(join(world.root, 'a'));
    }
  });
});

/** Nothing is closed to root, so root becomes somebody else for a while, to whom the folder is given. */
function becomeUser(folder: string): () => void {
  if (process.getuid?.() !== 0) {
    return () => {};
  }
  execFileSync('chown', ['-R', '65534', folder]);
  process.seteuid?.(65_534);
  return () => process.seteuid?.(0);
}
