import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '../../../server/src/core/log.ts';
import { inspectRepository } from '../../../server/src/git/inspect.ts';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { Mirrors } from '../../../server/src/git/mirrors.ts';
import { snapshotUncommitted } from '../../../server/src/git/snapshot.ts';
import { commitAll, makeRepository, runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { arm, armedGitRuns } from './armedRepository.ts';
import { folderContents, folderState } from './folderState.ts';

describe('snapshotUncommitted', () => {
  const folder = useTempFolder();
  const repository = () => join(folder(), 'répo with space');
  const home = '/nonexistent';

  async function mirrored(): Promise<{ mirror: Mirror; head: string }> {
    const inspected = await inspectRepository(repository());
    const { mirror } = await new Mirrors(join(folder(), 'mirrors'), silentLogger).ensure(inspected, undefined);
    return { mirror, head: inspected.head };
  }

  async function snapshot(maxBytes = 1e9): Promise<{ mirror: Mirror; commit: string | undefined; head: string }> {
    const { mirror, head } = await mirrored();
    return { mirror, head, commit: await snapshotUncommitted(repository(), mirror, head, { maxBytes, home }) };
  }

  const tree = (mirror: Mirror, commit: string | undefined) => runGit(mirror.path, ['ls-tree', '-r', String(commit)]);

  it('takes every kind of change as git would, and leaves .git as it is', async () => {
    makeRepository(repository(), {
      changed: '1\n',
      deleted: '1\n',
      mode: '1\n',
      becomesLink: '1\n',
      becomesFolder: '1\n',
      staged: '1\n',
      'crlf.txt': 'a\nb\n',
      '.gitignore': '*.log\n!keep.log\n',
      '.gitattributes': '*.txt text\n',
    });
    writeFiles(repository(), {
      changed: '2\n',
      staged: '2\n',
      'crlf.txt': 'a\r\nb\r\nc\r\n',
      'x.log': 'ignored',
      'keep.log': 'kept',
      'new\nline': 'n',
      '-dash': 'd',
      'ünï/cødé': 'u',
      both: 'staged\n',
    });
    runGit(repository(), ['add', 'staged', 'both']);
    writeFiles(repository(), { both: 'work\n' });
    for (const path of ['deleted', 'becomesLink', 'becomesFolder']) {
      rmSync(join(repository(), path));
    }
    chmodSync(join(repository(), 'mode'), 0o755);
    symlinkSync('changed', join(repository(), 'becomesLink'));
    writeFiles(repository(), { 'becomesFolder/inside': 'i' });
    const before = folderState(join(repository(), '.git'));
    const files = folderState(repository());
    const { mirror, commit, head } = await snapshot();
    assert.deepEqual(folderState(join(repository(), '.git')), before);
    assert.deepEqual(folderState(repository()), files);
    runGit(mirror.path, ['fsck', '--full', '--strict']);
    assert.equal(runGit(mirror.path, ['rev-parse', `${commit}^`]), head);
    commitAll(repository(), 'what git makes of it');
    assert.equal(
      runGit(mirror.path, ['rev-parse', `${commit}^{tree}`]),
      runGit(repository(), ['rev-parse', 'HEAD^{tree}']),
    );
  });

  it('is undefined when nothing differs, also when only times do', async () => {
    makeRepository(repository(), { a: '1\n' });
    writeFileSync(join(repository(), 'a'), '1\n');
    const { mirror, commit, head } = await snapshot();
    assert.equal(commit, undefined);
    const before = folderContents(mirror.path);
    assert.equal(await snapshotUncommitted(repository(), mirror, head, { maxBytes: 1, home }), undefined);
    assert.deepEqual(folderContents(mirror.path), before);
  });

  it('notices a change that keeps size and second of the file', async () => {
    makeRepository(repository(), { a: '1\n' });
    writeFileSync(join(repository(), 'a'), '2\n');
    const { mirror, commit } = await snapshot();
    assert.equal(runGit(mirror.path, ['show', `${commit}:a`]), '2');
  });

  it('honours core.autocrlf and info/exclude of the user', async () => {
    makeRepository(repository(), { a: 'a\nb\n' });
    runGit(repository(), ['config', 'core.autocrlf', 'true']);
    writeFiles(repository(), { a: 'a\r\nb\r\n', secret: 's', b: 'x\r\n', '.git/info/exclude': 'secret\n' });
    const { mirror, commit } = await snapshot();
    assert.deepEqual(runGit(mirror.path, ['ls-tree', '--name-only', String(commit)]).split('\n'), ['a', 'b']);
    assert.equal(runGit(mirror.path, ['cat-file', '-s', `${commit}:b`]), '2');
  });

  it('refuses more than the limit, with the largest files named, and leaves no trace', async () => {
    makeRepository(repository());
    writeFiles(repository(), { small: 's', huge: '' });
    truncateSync(join(repository(), 'huge'), 100_000_000);
    const { mirror, head } = await mirrored();
    const before = folderContents(mirror.path);
    await assert.rejects(snapshotUncommitted(repository(), mirror, head, { maxBytes: 50_000_000, home }), {
      code: 'too_large',
      message: /huge \(100 MB\)/,
    });
    assert.deepEqual(folderContents(mirror.path), before);
  });

  it('keeps submodules as the head has them and leaves inner repositories out', async () => {
    const other = join(folder(), 'other');
    makeRepository(other);
    makeRepository(repository());
    runGit(repository(), ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', other, 'module']);
    commitAll(repository(), 'with a submodule');
    writeFiles(join(repository(), 'module'), { a: 'changed in the submodule\n' });
    const marker = arm(other, folder());
    arm(repository(), folder());
    renameSync(join(other, '.git/config'), join(repository(), '.git/modules/module/config'));
    makeRepository(join(repository(), 'inner'));
    writeFiles(repository(), { a: 'changed\n' });
    const { mirror, commit, head } = await snapshot();
    assert.equal(existsSync(marker), false);
    const gitlink = /160000 commit \w+\tmodule/;
    assert.equal(gitlink.exec(tree(mirror, commit))?.[0], gitlink.exec(tree(mirror, head))?.[0]);
    assert.equal(tree(mirror, commit).includes('inner'), false);
  });

  it('takes a linked work tree, a shallow clone and a sparse checkout', async () => {
    makeRepository(repository(), { 'in/a': '1', 'out/b': '1' });
    const main = repository();
    const linked = join(folder(), 'linked');
    runGit(main, ['worktree', 'add', '-q', linked]);
    const { mirror, head } = await mirrored();
    writeFiles(linked, { 'in/a': '2' });
    const commit = await snapshotUncommitted(linked, mirror, head, { maxBytes: 1e6, home });
    assert.equal(runGit(mirror.path, ['show', `${commit}:in/a`]), '2');
    runGit(main, ['sparse-checkout', 'set', '--sparse-index', 'in']);
    writeFiles(main, { 'in/a': '3' });
    const sparse = await snapshotUncommitted(main, mirror, head, { maxBytes: 1e6, home });
    assert.equal(runGit(mirror.path, ['show', `${sparse}:in/a`]), '3');
    assert.equal(runGit(mirror.path, ['show', `${sparse}:out/b`]), '1');
    const shallow = join(folder(), 'shallow');
    runGit(folder(), ['clone', '-q', '--depth', '1', `file://${encodeURI(main)}`, shallow]);
    writeFiles(shallow, { 'in/a': '4' });
    const cloned = await snapshotUncommitted(shallow, mirror, head, { maxBytes: 1e6, home });
    assert.equal(runGit(mirror.path, ['show', `${cloned}:in/a`]), '4');
  });

  it('takes a merge that is under way as the files are now', async () => {
    makeRepository(repository(), { a: '1\n' });
    runGit(repository(), ['checkout', '-q', '-b', 'side']);
    writeFiles(repository(), { a: 'side\n' });
    commitAll(repository(), 'side');
    runGit(repository(), ['checkout', '-q', 'main']);
    writeFiles(repository(), { a: 'main\n' });
    commitAll(repository(), 'main');
    assert.throws(() => runGit(repository(), ['merge', '-q', 'side']));
    const { mirror, commit } = await snapshot();
    assert.match(runGit(mirror.path, ['show', `${commit}:a`]), /<<<<<<< HEAD\nmain\n=======\nside/);
  });

  it('runs nothing that a hostile repository configures', async () => {
    makeRepository(repository(), { a: 'a\n', '.gitattributes': '* filter=evil diff=evil\n' });
    const marker = arm(repository(), folder());
    mkdirSync(join(repository(), 'inner'));
    writeFiles(repository(), { a: 'b\n', c: 'c\n' });
    const { mirror, commit } = await snapshot();
    assert.equal(existsSync(marker), false);
    assert.equal(runGit(mirror.path, ['show', `${commit}:a`]), 'b');
    assert.equal(armedGitRuns(repository(), marker), true, 'the trap works');
  });
});
