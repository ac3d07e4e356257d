import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { applyCommand } from '../../../server/src/git/applyScript.ts';
import { makeRepository, runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { makeSandboxClone, type SandboxClone } from './sandboxClone.ts';

describe('applyCommand', () => {
  const folder = useTempFolder();
  let clone: SandboxClone;

  async function open(files: Record<string, string>): Promise<void> {
    makeRepository(join(folder(), 'r'), files);
    clone = await makeSandboxClone(folder(), join(folder(), 'r'));
  }

  /** Makes a commit of the mirror out of changes to the clone's base. */
  function wanted(change: (folder: string) => void): string {
    const work = join(folder(), 'wanted');
    runGit(folder(), ['clone', '--quiet', '--no-local', clone.mirror.path, work, '--no-checkout']);
    runGit(work, ['fetch', '--quiet', 'origin', clone.base]);
    runGit(work, ['checkout', '--quiet', clone.base]);
    change(work);
    runGit(work, ['add', '-A']);
    runGit(work, ['-c', 'user.name=x', '-c', 'user.email=x@x', 'commit', '--quiet', '-m', 'wanted']);
    runGit(work, ['push', '--quiet', clone.mirror.path, 'HEAD:refs/sandpiper/wanted']);
    return runGit(work, ['rev-parse', 'HEAD']);
  }

  function commandFor(from: string, to: string): string[] {
    return applyCommand({ workspace: clone.workspace, scratch: join(folder(), 'scratch'), from, to });
  }

  function apply(to: string): number {
    const { result } = clone.checkpoint(clone.base);
    const [program = '', ...args] = commandFor(result?.commit ?? '', to);
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    assert.equal(stderr, '');
    return status ?? -1;
  }

  it('changes, adds and takes away files, modes and links, and touches nothing else', async () => {
    await open({
      a: '1\n',
      'd/b': '1\n',
      'd/e/gone': 'g\n',
      'to file/x': 'x\n',
      'to folder': 'y\n',
      same: 's\n',
      '.gitignore': 'ignored\n',
    });
    const to = wanted(work => {
      rmSync(join(work, 'd/e'), { recursive: true });
      rmSync(join(work, 'to file'), { recursive: true });
      rmSync(join(work, 'to folder'));
      writeFiles(work, { a: '2\n', 'n ew/-f "x"': 'n\r\n', 'to file': 'now\n', 'to folder/y': 'now\n' });
      symlinkSync('a', join(work, 'link'));
      chmodSync(join(work, 'd/b'), 0o755);
    });
    writeFiles(clone.workspace, { ignored: 'kept\n' });
    const before = statSync(join(clone.workspace, 'same')).mtimeMs;
    assert.equal(apply(to), 0);
    assert.equal(
      clone.checkpoint(clone.base, { turn: 2 }).result?.tree,
      runGit(clone.mirror.path, ['rev-parse', `${to}^{tree}`]),
    );
    const text = (path: string) => readFileSync(join(clone.workspace, path), 'utf8');
    assert.deepEqual(
      [text('a'), text('n ew/-f "x"'), text('to file'), text('to folder/y'), text('ignored')],
      ['2\n', 'n\r\n', 'now\n', 'now\n', 'kept\n'],
    );
    assert.ok(lstatSync(join(clone.workspace, 'link')).isSymbolicLink());
    assert.ok(!existsSync(join(clone.workspace, 'd/e')), 'an empty folder goes');
    assert.equal(statSync(join(clone.workspace, 'same')).mtimeMs, before);
    assert.ok(!existsSync(join(clone.workspace, '.git/sandpiper-review')));
  });

  it('never writes through a link out of the work tree, nor over a folder', async () => {
    await open({ 'd/b': '1\n', c: '1\n' });
    const to = wanted(work => writeFiles(work, { 'd/b': '2\n', 'd/n': '2\n', c: '2\n', ok: '2\n' }));
    const outside = join(folder(), 'outside');
    writeFiles(outside, { b: 'theirs\n' });
    const { result } = clone.checkpoint(clone.base);
    rmSync(join(clone.workspace, 'd'), { recursive: true });
    symlinkSync(outside, join(clone.workspace, 'd'));
    rmSync(join(clone.workspace, 'c'));
    mkdirSync(join(clone.workspace, 'c'));
    const [program = '', ...args] = commandFor(result?.commit ?? '', to);
    assert.equal(spawnSync(program, args).status, 0);
    assert.equal(readFileSync(join(outside, 'b'), 'utf8'), 'theirs\n');
    assert.ok(!existsSync(join(outside, 'n')));
    assert.ok(statSync(join(clone.workspace, 'c')).isDirectory());
    assert.equal(readFileSync(join(clone.workspace, 'ok'), 'utf8'), '2\n');
  });

  it('leaves a file alone that was written since the checkpoint', async () => {
    await open({ a: '1\n', b: '1\n' });
    const to = wanted(work => writeFiles(work, { a: '2\n', b: '2\n' }));
    const { result } = clone.checkpoint(clone.base);
    writeFileSync(join(clone.workspace, 'a'), 'of the agent\n');
    const [program = '', ...args] = commandFor(result?.commit ?? '', to);
    assert.equal(spawnSync(program, args).status, 0);
    assert.equal(readFileSync(join(clone.workspace, 'a'), 'utf8'), 'of the agent\n');
    assert.equal(readFileSync(join(clone.workspace, 'b'), 'utf8'), '2\n');
  });

  it('leaves every file whole when it is killed, and comes to the same end when repeated', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `f${index}`);
    const files = (content: string) => Object.fromEntries(names.map(name => [name, content.repeat(2000)]));
    await open(files('1\n'));
    const to = wanted(work => writeFiles(work, files('2\n')));
    const { result } = clone.checkpoint(clone.base);
    const [program = '', ...args] = commandFor(result?.commit ?? '', to);
    const child = spawn(program, args, { detached: true, stdio: 'ignore' });
    const closed = new Promise(resolve => child.on('close', resolve));
    const changed = () =>
      names.filter(name => readFileSync(join(clone.workspace, name), 'utf8').startsWith('2')).length;
    const deadline = Date.now() + 20_000;
    while (changed() === 0 && child.exitCode === null && Date.now() < deadline) {
      await new Promise(setImmediate);
    }
    if (child.pid !== undefined && child.exitCode === null) {
      process.kill(-child.pid, 'SIGKILL');
    }
    await closed;
    for (const name of names) {
      const text = readFileSync(join(clone.workspace, name), 'utf8');
      assert.ok(text === '1\n'.repeat(2000) || text === '2\n'.repeat(2000), `${name} is half written`);
    }
    assert.equal(apply(to), 0);
    assert.equal(changed(), names.length);
    assert.equal(
      clone.checkpoint(clone.base, { turn: 3 }).result?.tree,
      runGit(clone.mirror.path, ['rev-parse', `${to}^{tree}`]),
    );
  });

  it('refuses what is no commit', () => {
    const spec = { workspace: '/w', scratch: '/s', from: 'a'.repeat(40), to: '--output=x' };
    assert.throws(() => applyCommand(spec), { code: 'invalid_params' });
  });
});
