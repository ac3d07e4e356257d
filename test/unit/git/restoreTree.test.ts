import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { RESTORE_TREE_SCRIPT } from '../../../server/src/git/restoreTreeScript.ts';
import { makeRepository, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { arm, armedGitRuns } from './armedRepository.ts';
import { folderContents } from './folderState.ts';
import { makeSandboxClone, type SandboxClone } from './sandboxClone.ts';

describe('restoreTreeScript', () => {
  const folder = useTempFolder();
  let clone: SandboxClone;
  beforeEach(async () => {
    makeRepository(join(folder(), 'r'), { a: '1\n', 'd/b': '1\n', gone: 'g\n', '.gitignore': '*.log\nnode_modules\n' });
    clone = await makeSandboxClone(folder(), join(folder(), 'r'));
  });

  const at = (path: string) => join(clone.workspace, path);
  const read = (path: string) => readFileSync(at(path), 'utf8');
  function checkpoint(parent: string, turn: number): string {
    const { result, stderr } = clone.checkpoint(parent, { turn });
    return result?.commit ?? assert.fail(stderr);
  }
  function restore(commit: string): { code: number | null; stderr: string } {
    const script = join(folder(), 'restore.sh');
    writeFileSync(script, RESTORE_TREE_SCRIPT);
    const { status, stderr } = spawnSync('sh', [script, clone.workspace, join(folder(), 'scratch'), commit], {
      env: { PATH: process.env['PATH'] ?? '', GIT_DIR: '/nonexistent', GIT_INDEX_FILE: '/nonexistent/index' },
      encoding: 'utf8',
      cwd: '/',
    });
    return { code: status, stderr };
  }

  it('makes every tracked file what the commit has, and touches neither ignored files nor .git', () => {
    writeFiles(clone.workspace, { a: '2\n', 'new file\nname': 'n\n', 'x.log': 'kept\n', 'node_modules/m': 'kept\n' });
    rmSync(at('gone'));
    chmodSync(at('d/b'), 0o755);
    symlinkSync('a', at('link'));
    const first = checkpoint(clone.base, 1);
    writeFiles(clone.workspace, { 'new file\nname': 'other\n', 'deep/er/file': '2\n' });
    rmSync(at('d'), { recursive: true });
    writeFileSync(at('d'), 'a file where a folder was');
    rmSync(at('link'));
    const second = checkpoint(first, 2);
    const git = folderContents(at('.git'));
    assert.deepEqual(restore(first), { code: 0, stderr: '' });
    assert.deepEqual(
      [read('a'), read('new file\nname'), read('d/b'), readlinkSync(at('link'))],
      ['2\n', 'n\n', '1\n', 'a'],
    );
    assert.equal(lstatSync(at('d/b')).mode & 0o111, 0o111);
    assert.deepEqual([existsSync(at('deep')), existsSync(at('gone'))], [false, false]);
    assert.deepEqual([read('x.log'), read('node_modules/m')], ['kept\n', 'kept\n']);
    assert.equal(checkpoint(first, 3), first, 'nothing differs from the checkpoint');
    restore(clone.base);
    assert.deepEqual([read('a'), read('gone'), existsSync(at('new file\nname'))], ['1\n', 'g\n', false]);
    checkpoint(clone.base, 4);
    restore(second);
    assert.deepEqual([read('d'), read('deep/er/file')], ['a file where a folder was', '2\n']);
    assert.deepEqual(folderContents(at('.git')), git);
  });

  it('keeps what the checkpoint left out, also where the commit has another version', () => {
    mkdirSync(at('data'));
    writeFiles(clone.workspace, { 'data/big.bin': 'small once\n' });
    const first = checkpoint(clone.base, 1);
    writeFiles(clone.workspace, { a: '2\n' });
    truncateSync(at('data/big.bin'), 60_000_000);
    symlinkSync('/etc/passwd', at('out'));
    checkpoint(first, 2);
    assert.deepEqual(restore(clone.base), { code: 0, stderr: '' });
    assert.equal(lstatSync(at('data/big.bin')).size, 60_000_000);
    assert.equal(readlinkSync(at('out')), '/etc/passwd');
    assert.equal(read('a'), '1\n');
  });

  it('ends the same when it is repeated after it was broken off', () => {
    writeFiles(clone.workspace, { a: '2\n', b: '2\n', 'big.bin': '' });
    truncateSync(at('big.bin'), 60_000_000);
    const first = checkpoint(clone.base, 1);
    // As a kill leaves it: half written, a lock, a file that is still aside.
    writeFiles(clone.workspace, { a: '1\n' });
    writeFileSync(join(folder(), 'scratch/git/index.lock'), '');
    mkdirSync(join(folder(), 'scratch/aside'));
    writeFileSync(join(folder(), 'scratch/aside/left'), 'aside');
    checkpoint(first, 2);
    assert.equal(restore(clone.base).code, 0);
    assert.deepEqual([read('a'), existsSync(at('b')), read('left')], ['1\n', false, 'aside']);
    assert.equal(lstatSync(at('big.bin')).size, 60_000_000);
  });

  it('runs nothing that the agent left in the repository', () => {
    const marker = arm(clone.workspace, folder());
    assert.ok(armedGitRuns(clone.workspace, marker));
    writeFiles(clone.workspace, { '.gitattributes': '* filter=evil diff=evil\n', a: '2\n' });
    const first = checkpoint(clone.base, 1);
    assert.equal(restore(clone.base).code, 0);
    checkpoint(clone.base, 2);
    assert.equal(restore(first).code, 0);
    assert.equal(read('a'), '2\n');
    assert.equal(existsSync(marker), false);
  });

  it('says why it could not', () => {
    checkpoint(clone.base, 1);
    assert.match(restore('f'.repeat(40)).stderr, /is not there/);
    rmSync(join(folder(), 'scratch'), { recursive: true });
    assert.match(restore(clone.base).stderr, /there is no checkpoint/);
  });
});
