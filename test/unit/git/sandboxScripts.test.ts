import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKPOINT_EXIT, cloneCommand, parseCheckpoint } from '../../../server/src/git/sandboxScripts.ts';
import { requireOrSkip } from '../../support/requirement.ts';
import { commitAll, makeRepository, runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { arm } from './armedRepository.ts';
import { folderContents } from './folderState.ts';
import { makeSandboxClone, type SandboxClone } from './sandboxClone.ts';

describe('cloneCommand', () => {
  const folder = useTempFolder();

  it('makes a normal work tree with history, one branch and no remote, without touching the mirror', async () => {
    const repository = join(folder(), 'r');
    makeRepository(repository, { a: '1\n', 'd/b': '1\n' });
    writeFiles(repository, { a: '2\n' });
    commitAll(repository, 'second');
    const clone = await makeSandboxClone(folder(), repository);
    const before = folderContents(clone.mirror.path);
    const ask = (...args: string[]) => runGit(clone.workspace, args);
    assert.equal(ask('status', '--porcelain=2', '--branch'), `# branch.oid ${clone.base}\n# branch.head sandpiper/x`);
    assert.equal(ask('rev-list', '--count', 'HEAD'), '2');
    assert.equal(ask('remote'), '');
    assert.equal(ask('for-each-ref', '--format=%(refname)'), 'refs/heads/sandpiper/x');
    assert.equal(ask('config', 'user.name'), 'Agent x');
    ask('fsck', '--full', '--strict');
    writeFiles(clone.workspace, { a: '3\n' });
    commitAll(clone.workspace, 'of the agent');
    ask('gc', '-q');
    assert.deepEqual(folderContents(clone.mirror.path), before);
  });

  it('refuses what is not a branch or a commit', () => {
    const spec = {
      mirrorPath: '/m',
      commit: 'a'.repeat(40),
      workspace: '/w',
      branch: 'b',
      author: { name: 'n', email: 'e' },
    };
    assert.throws(() => cloneCommand({ ...spec, branch: '-b' }), { code: 'invalid_params' });
    assert.throws(() => cloneCommand({ ...spec, branch: 'a..b' }), { code: 'invalid_params' });
    assert.throws(() => cloneCommand({ ...spec, commit: '--upload-pack=x' }), { code: 'invalid_params' });
  });
});

describe('checkpointScript', () => {
  const folder = useTempFolder();
  let clone: SandboxClone;
  beforeEach(async () => {
    makeRepository(join(folder(), 'r'), {
      a: '1\n',
      'd/b': '1\n',
      gone: 'g\n',
      '.gitignore': '*.log\nnode_modules\n',
    });
    clone = await makeSandboxClone(folder(), join(folder(), 'r'));
  });

  const scratch = (...args: string[]) => runGit(join(folder(), 'scratch/git'), args);
  const names = (commit: string) => scratch('ls-tree', '-r', '-z', '--name-only', commit).split('\0').filter(Boolean);

  function made(parent: string, options?: Parameters<SandboxClone['checkpoint']>[1]) {
    const { code, stderr, result } = clone.checkpoint(parent, options);
    assert.equal(code, 0, stderr);
    assert.ok(result);
    return result;
  }

  it('commits what is in the work tree on top of the parent, and bundles it', () => {
    writeFiles(clone.workspace, {
      a: '2\n',
      'new\nline "x" \\ é': 'n',
      '-rf': 'd',
      'x.log': 'ignored',
      ' sp ace ': 's',
    });
    rmSync(join(clone.workspace, 'gone'));
    chmodSync(join(clone.workspace, 'd/b'), 0o755);
    symlinkSync('../a', join(clone.workspace, 'd/link'));
    const status = runGit(clone.workspace, ['status', '--porcelain']);
    const result = made(clone.base);
    assert.deepEqual(
      { ...result, commit: '', tree: '' },
      { commit: '', tree: '', bundle: true, nested: [], leftOut: [], leftOutCount: 0 },
    );
    assert.equal(scratch('rev-parse', `${result.commit}^@`), clone.base);
    assert.equal(scratch('log', '-1', '--format=%an %B', result.commit), 'Sandpiper Turn\n\nwith a body');
    assert.equal(runGit(clone.workspace, ['status', '--porcelain']), status, "the agent's index is as it was");
    const heads = runGit(clone.mirror.path, ['bundle', 'list-heads', clone.bundle]);
    assert.equal(heads, `${result.commit} ${clone.ref(1)}`);
    commitAll(clone.workspace, 'what git makes of it');
    assert.equal(runGit(clone.workspace, ['rev-parse', 'HEAD^{tree}']), result.tree);
  });

  it('says so when nothing changed, and forgets the bundle of an earlier turn', () => {
    writeFiles(clone.workspace, { a: '2\n' });
    const first = made(clone.base);
    assert.equal(existsSync(clone.bundle), true);
    const second = made(first.commit, { turn: 2 });
    assert.deepEqual([second.commit, second.tree, second.bundle], [first.commit, first.tree, false]);
    assert.equal(existsSync(clone.bundle), false);
  });

  it('gives the same commit when it is asked again for the same turn', async () => {
    writeFiles(clone.workspace, { a: '2\n' });
    const first = made(clone.base);
    await new Promise(resolve => setTimeout(resolve, 1100)); // the time in a commit has whole seconds
    assert.deepEqual(made(clone.base), first);
    assert.equal(existsSync(clone.bundle), true);
    writeFiles(clone.workspace, { a: '3\n' });
    assert.notEqual(made(clone.base).commit, first.commit);
  });

  it('notices changes that keep size and second, turn after turn', () => {
    let parent = clone.base;
    for (const text of ['2\n', '3\n', '4\n', '5\n']) {
      writeFiles(clone.workspace, { a: text });
      parent = made(parent).commit;
      assert.equal(scratch('show', `${parent}:a`), text.trim());
    }
  });

  it('does not care what the agent did to its clone', () => {
    const marker = arm(clone.workspace, folder());
    runGit(clone.workspace, ['config', '--unset-all', 'filter.evil.process']);
    runGit(clone.workspace, ['config', '--unset-all', 'core.fsmonitor']);
    rmSync(join(clone.workspace, '.git/hooks'), { recursive: true });
    writeFiles(clone.workspace, { '.gitattributes': 'a filter=evil\n', a: '2\n', 'd/b': '2\n' });
    runGit(clone.workspace, ['update-index', '--assume-unchanged', 'a']);
    runGit(clone.workspace, ['update-index', '--skip-worktree', 'd/b']);
    runGit(clone.workspace, ['checkout', '-q', '--orphan', 'other']);
    runGit(clone.workspace, ['-c', 'filter.evil.required=false', 'commit', '-q', '-a', '-m', 'mine']);
    rmSync(marker, { force: true });
    const result = made(clone.base);
    assert.equal(existsSync(marker), false);
    assert.equal(scratch('show', `${result.commit}:a`), '2');
    assert.equal(scratch('show', `${result.commit}:d/b`), '2');
    assert.equal(scratch('rev-parse', `${result.commit}^@`), clone.base);
    rmSync(join(clone.workspace, '.git'), { recursive: true });
    writeFiles(clone.workspace, { a: '3\n' });
    assert.equal(scratch('show', `${made(result.commit, { turn: 2 }).commit}:a`), '3');
  });

  it('needs neither .git nor scratch when it is told where the objects are, and says what is missing else', () => {
    rmSync(join(clone.workspace, '.git'), { recursive: true });
    writeFiles(clone.workspace, { a: '2\n' });
    const gone = clone.checkpoint(clone.base, { objects: '' });
    assert.equal(gone.code, CHECKPOINT_EXIT.workspaceGone);
    assert.match(gone.stderr, /checkpoint: .*\.git is gone/);
    assert.equal(scratch('show', `${made(clone.base).commit}:a`), '2');
    const missing = clone.checkpoint('f'.repeat(40));
    assert.equal(missing.code, CHECKPOINT_EXIT.parentMissing);
    assert.match(missing.stderr, /parent commit f+ is not there/);
    rmSync(clone.workspace, { recursive: true });
    assert.equal(clone.checkpoint(clone.base).code, CHECKPOINT_EXIT.workspaceGone);
  });

  it('finds the objects through the clone when it is not told', () => {
    writeFiles(clone.workspace, { a: '2\n' });
    const first = made(clone.base, { objects: '' });
    rmSync(join(clone.workspace, '.git'), { recursive: true });
    writeFiles(clone.workspace, { a: '3\n' });
    assert.equal(scratch('show', `${made(first.commit, { objects: '' }).commit}:a`), '3');
  });

  it('takes the files of repositories that the agent made, as files', () => {
    makeRepository(join(clone.workspace, 'app'), { 'src/x': 'x', '.gitignore': 'dist\n', 'dist/y': 'y', 'z.log': 'z' });
    makeRepository(join(clone.workspace, 'app/vendor/in "ner'), { deep: 'd' });
    mkdirSync(join(clone.workspace, 'unborn'));
    runGit(join(clone.workspace, 'unborn'), ['init', '-q']);
    writeFiles(clone.workspace, {
      'unborn/u': 'u',
      'node_modules/m/.git/HEAD': 'ref: refs/heads/main\n',
      'node_modules/m/x': 'x',
    });
    const result = made(clone.base);
    assert.deepEqual(result.nested.sort(), ['app', 'app/vendor/in "ner', 'unborn']);
    const added = names(result.commit).filter(name => /^(app|unborn|node_modules)/.test(name));
    assert.deepEqual(added, ['app/.gitignore', 'app/src/x', 'app/vendor/in "ner/deep', 'unborn/u']);
    assert.equal(scratch('ls-tree', '-r', result.commit).includes('160000'), false);
    writeFiles(clone.workspace, { 'app/src/x': 'changed' });
    const second = made(result.commit, { turn: 2 });
    assert.equal(scratch('show', `${second.commit}:app/src/x`), 'changed');
  });

  it('leaves out, and names, what could not be imported, and keeps the rest', () => {
    writeFiles(clone.workspace, { big: '', a: '', 'ok/x': 'x', 'GIT~1/x': 'x' });
    truncateSync(join(clone.workspace, 'big'), 2_000_001);
    truncateSync(join(clone.workspace, 'a'), 3_000_000);
    symlinkSync('/etc/passwd', join(clone.workspace, 'absolute'));
    symlinkSync('../../x', join(clone.workspace, 'ok/climbs'));
    symlinkSync('../a', join(clone.workspace, 'ok/stays'));
    const result = made(clone.base, { largest: 2_000_000 });
    const found = result.leftOut.map(entry => `${entry.why} ${entry.path}`).sort();
    assert.deepEqual(found, [
      'invalidName GIT~1/x',
      'outsideLink absolute',
      'outsideLink ok/climbs',
      'tooLarge a',
      'tooLarge big',
    ]);
    assert.equal(result.leftOutCount, 5);
    assert.equal(scratch('show', `${result.commit}:a`), '1', 'the version of the parent stays');
    assert.equal(names(result.commit).includes('ok/x'), true);
    assert.equal(names(result.commit).includes('ok/stays'), true);
  });

  it('keeps files that are tracked and ignored when the parent moved elsewhere', () => {
    writeFiles(clone.workspace, { a: '2\n' });
    made(clone.base);
    writeFiles(join(folder(), 'r'), { 'other.log': 'o\n' });
    runGit(join(folder(), 'r'), ['add', '-f', 'other.log']);
    const moved = commitAll(join(folder(), 'r'), 'moved');
    runGit(clone.mirror.path, ['fetch', '-q', join(folder(), 'r'), `${moved}:refs/bases/${moved}`]);
    writeFiles(clone.workspace, { 'other.log': 'o\n' });
    const second = made(moved, { turn: 2 });
    assert.equal(names(second.commit).includes('other.log'), true);
    assert.equal(scratch('rev-parse', `${second.commit}^@`), moved);
  });

  it('comes back after it was killed half way', () => {
    writeFiles(clone.workspace, { a: '2\n' });
    const first = made(clone.base);
    writeFiles(join(folder(), 'scratch/git'), { 'index.lock': '', [`${clone.ref(1)}.lock`]: '' });
    writeFiles(folder(), { 'out.bundle.new.lock': '', 'out.bundle.new': 'half' });
    writeFiles(clone.workspace, { a: '3\n' });
    assert.equal(scratch('show', `${made(clone.base).commit}:a`), '3');
    assert.notEqual(first.commit, undefined);
  });

  it('runs in other shells than the one of the system', function () {
    const shells = [['bash', '--posix'], ['busybox', 'sh'], ['dash']].filter(
      ([name]) => existsSync(`/bin/${name}`) || existsSync(`/usr/bin/${name}`),
    );
    requireOrSkip(this, 'checkpoint script in other shells', shells.length > 0, 'needs bash, busybox or dash');
    for (const [index, shell] of shells.entries()) {
      writeFiles(clone.workspace, { a: `by shell ${index}\n`, [`n\newline ${index}`]: 'x' });
      const result = made(clone.base, { shell, turn: index + 1 });
      assert.equal(scratch('show', `${result.commit}:a`), `by shell ${index}`);
    }
    assert.ok(statSync(clone.bundle).size > 0);
    assert.match(readFileSync(clone.bundle, 'latin1'), /^# v2 git bundle\n/);
  });

  it('has its output checked', () => {
    assert.throws(() => parseCheckpoint('{"commit":"x"}'), { code: 'git_failed' });
    assert.throws(() => parseCheckpoint(''), { code: 'git_failed' });
  });
});
