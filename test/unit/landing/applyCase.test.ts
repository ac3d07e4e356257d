import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { undoApply } from '../../../landing/applyChanges.ts';
import { SameEntries } from '../../../landing/sameEntries.ts';
import { ApplyWorld } from '../../support/applyWorld.ts';
import { runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';

describe('applying to a folder where capital letters do not count', function () {
  this.timeout(30_000);
  const folder = useTempFolder();
  const read = (world: ApplyWorld, path: string): string => readFileSync(join(world.root, path), 'utf8');

  /** As git sets a repository up there. Where the file system tells the names apart, it must all be the same. */
  function ignoringCase(files: Record<string, string>): ApplyWorld {
    const world = new ApplyWorld(folder(), files);
    runGit(world.root, ['config', 'core.ignorecase', 'true']);
    return world;
  }

  /** Commits what need not fit on this file system; null takes a path out. */
  function commitAsAgent(files: Record<string, string | null>): void {
    const agent = join(folder(), 'agent');
    for (const [path, input] of Object.entries(files)) {
      if (input === null) {
        runGit(agent, ['update-index', '--force-remove', path]);
      } else {
        const blob = runGit(agent, ['hash-object', '-w', '--stdin'], { input });
        runGit(agent, [
          '-c',
          'core.ignorecase=false',
          'update-index',
          '--add',
          '--cacheinfo',
          `100644,${blob},${path}`,
        ]);
      }
    }
    runGit(agent, ['commit', '-qm', 'the agent']);
  }

  async function applied(world: ApplyWorld) {
    const record = await world.apply();
    return { record, conflicts: record.conflicts.map(({ path, reason }) => `${path} ${reason}`).toSorted() };
  }

  it('brings one of two files of one name and leaves the other to a person, with the reason', async () => {
    const world = ignoringCase({ a: 'a\n' });
    commitAsAgent({ 'NEW.txt': 'big\n', 'new.txt': 'small\n', Docs: 'file\n', 'docs/x': 'x\n', b: 'b\n' });
    const { record, conflicts } = await applied(world);
    assert.deepEqual(conflicts, ['docs/x onlyCaseDiffers', 'new.txt onlyCaseDiffers']);
    assert.deepEqual([read(world, 'NEW.txt'), read(world, 'Docs'), read(world, 'b')], ['big\n', 'file\n', 'b\n']);
    await undoApply(world.records, record);
    assert.deepEqual(readdirSync(world.root).toSorted(), ['.git', 'a']);
  });

  it('neither overwrites nor deletes a file of yours whose name is nearly the same', async () => {
    const world = ignoringCase({ 'old.txt': 'old\n', 'gone.txt': 'gone\n' });
    commitAsAgent({ 'old.txt': 'theirs\n', 'Mine.txt': 'theirs\n', 'gone.txt': null });
    renameSync(join(world.root, 'old.txt'), join(world.root, 'Old.txt'));
    renameSync(join(world.root, 'gone.txt'), join(world.root, 'Gone.txt'));
    writeFiles(world.root, { 'mine.txt': 'mine\n' });
    assert.deepEqual((await applied(world)).conflicts, ['Mine.txt onlyCaseDiffers', 'old.txt onlyCaseDiffers']);
    assert.deepEqual(readdirSync(world.root).toSorted(), ['.git', 'Gone.txt', 'Old.txt', 'mine.txt']);
    assert.deepEqual(
      ['Old.txt', 'Gone.txt', 'mine.txt'].map(path => read(world, path)),
      ['old\n', 'gone\n', 'mine\n'],
    );
  });

  it('gives a file the name that the agent gave it, where only that is new', async () => {
    const world = ignoringCase({ 'dir/readme.md': 'read\n' });
    commitAsAgent({ 'dir/readme.md': null, 'dir/README.md': 'read me\n' });
    const { record, conflicts } = await applied(world);
    assert.deepEqual(conflicts, []);
    assert.deepEqual(readdirSync(join(world.root, 'dir')), ['README.md']);
    assert.equal(read(world, 'dir/README.md'), 'read me\n');
    await undoApply(world.records, record);
    assert.deepEqual(readdirSync(join(world.root, 'dir')), ['readme.md']);
  });

  it('applies both where capital letters count', async () => {
    const world = new ApplyWorld(folder(), { a: 'a\n' });
    const ignoresCase = runGit(world.root, ['config', '--default', 'false', 'core.ignorecase']) === 'true';
    commitAsAgent({ 'NEW.txt': 'big\n', 'new.txt': 'small\n' });
    assert.deepEqual((await applied(world)).conflicts, ignoresCase ? ['new.txt onlyCaseDiffers'] : []);
    assert.equal(read(world, 'NEW.txt'), 'big\n');
    assert.equal(read(world, 'new.txt'), ignoresCase ? 'big\n' : 'small\n');
  });
});

describe('entries that are the same but for capital letters', () => {
  it('are found among files, and between a file and a folder', () => {
    const entries = new SameEntries();
    assert.equal(entries.add('Dir/File'), undefined);
    assert.equal(entries.add('dir/other'), undefined, 'a folder may be written in two ways');
    assert.equal(entries.add('dir/FILE'), 'Dir/File');
    assert.equal(entries.add('dir/file/below'), 'Dir/File');
    assert.equal(entries.add('DIR'), 'dir/other');
    assert.equal(entries.add('Dir/File'), undefined, 'itself');
  });
});
