import assert from 'node:assert/strict';
import { chmodSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { diffText, listChanges, readFileAt } from '../../../server/src/git/diff.ts';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { sensitiveManifest, sensitivePath } from '../../../server/src/git/sensitive.ts';
import { commitAll, makeRepository, runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';

describe('changes between commits', () => {
  const folder = useTempFolder();
  const work = () => join(folder(), 'r');
  const mirror = (): Mirror => ({ path: join(work(), '.git'), objects: join(work(), '.git/objects') });

  it('lists files with kinds, counts and modes, whatever their names are', async () => {
    const lines = Array.from({ length: 20 }, (_, line) => `line ${line}\n`).join('');
    const from = makeRepository(work(), {
      modified: 'a\nb\n',
      deleted: 'a\n',
      'old name': lines,
      mode: 'm\n',
      link: 'l\n',
      binary: Buffer.from([0, 1, 2]),
    });
    writeFiles(work(), { modified: 'a\nc\nd\n', 'added\n"ü"\t': 'x\n', binary: Buffer.from([0, 1, 3]) });
    rmSync(join(work(), 'deleted'));
    renameSync(join(work(), 'old name'), join(work(), 'new name'));
    writeFiles(work(), { 'new name': `${lines}more\n` });
    chmodSync(join(work(), 'mode'), 0o755);
    rmSync(join(work(), 'link'));
    symlinkSync('modified', join(work(), 'link'));
    const to = commitAll(work(), 'to');
    const { files, stats } = await listChanges(mirror(), from, to);
    const short = files.map(file => [file.path, file.status, file.insertions, file.deletions, file.oldMode, file.mode]);
    assert.deepEqual(short, [
      ['added\n"ü"\t', 'added', 1, 0, '000000', '100644'],
      ['binary', 'modified', 0, 0, '100644', '100644'],
      ['deleted', 'deleted', 0, 1, '100644', '000000'],
      ['link', 'typeChanged', 1, 1, '100644', '120000'],
      ['mode', 'modified', 0, 0, '100644', '100755'],
      ['modified', 'modified', 2, 1, '100644', '100644'],
      ['new name', 'renamed', 1, 0, '100644', '100644'],
    ]);
    assert.equal(files[6]?.oldPath, 'old name');
    assert.deepEqual(
      files.map(file => file.binary),
      [false, true, false, false, false, false, false],
    );
    assert.deepEqual(stats, { files: 7, insertions: 5, deletions: 3 });
    assert.deepEqual((await listChanges(mirror(), to, to)).files, []);
    await assert.rejects(listChanges(mirror(), 'HEAD', to), { code: 'invalid_params' });
    await assert.rejects(listChanges(mirror(), 'f'.repeat(40), to), { code: 'git_failed' });
  });

  it('marks what would run by itself on a developer machine', async () => {
    const manifest = (more: object) => JSON.stringify({ name: 'x', scripts: { test: 't' }, ...more });
    const from = makeRepository(work(), {
      'a/package.json': manifest({}),
      'b/package.json': manifest({}),
      '.husky/x': 'x\n',
    });
    writeFiles(work(), {
      'a/package.json': manifest({ version: '2' }),
      'b/package.json': manifest({ scripts: { postinstall: 'evil' } }),
      'c/package.json': manifest({}),
      'src/ok.ts': 'x',
    });
    renameSync(join(work(), '.husky/x'), join(work(), 'plain'));
    symlinkSync('/etc/passwd', join(work(), 'out'));
    symlinkSync('src', join(work(), 'in'));
    const { files } = await listChanges(mirror(), from, commitAll(work(), 'to'));
    const sensitive = files.filter(file => file.sensitive !== undefined).map(file => file.path);
    assert.deepEqual(sensitive, ['b/package.json', 'c/package.json', 'out', 'plain']);
  });

  it('gives the diff, cut after a whole line', async () => {
    const from = makeRepository(work(), { a: 'ä\n'.repeat(100) });
    writeFiles(work(), { a: 'ö\n'.repeat(100) });
    const to = commitAll(work(), 'to');
    const whole = await diffText(mirror(), from, to, 1_000_000);
    assert.equal(whole.truncated, false);
    assert.equal(whole.diff.trimEnd(), runGit(work(), ['diff', from, to]));
    const bytes = Buffer.byteLength(whole.diff);
    assert.equal((await diffText(mirror(), from, to, bytes)).truncated, false);
    const cut = await diffText(mirror(), from, to, 501);
    assert.equal(cut.truncated, true);
    assert.ok(cut.diff.endsWith('\n') && whole.diff.startsWith(cut.diff) && Buffer.byteLength(cut.diff) <= 501);
  });

  it('reads a file of a commit', async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    const commit = makeRepository(work(), { 'd/é\n*': bytes, ':(top)x': 'colon\n', big: 'x'.repeat(1000) });
    const found = await readFileAt(mirror(), commit, 'd/é\n*', 100);
    const blob = runGit(work(), ['rev-parse', 'HEAD:d/é\n*']);
    assert.deepEqual(found, { exists: true, content: bytes, bytes: 4, mode: '100644', blob, tooLarge: false });
    assert.equal((await readFileAt(mirror(), commit, ':(top)x', 100)).content.toString(), 'colon\n');
    const big = await readFileAt(mirror(), commit, 'big', 999);
    assert.deepEqual([big.exists, big.tooLarge, big.bytes, big.content.length], [true, true, 1000, 0]);
    assert.equal((await readFileAt(mirror(), commit, 'big', 1000)).content.length, 1000);
    for (const path of ['none', 'd', 'd/', '', '/etc/passwd', '../r/big', '*', 'd/../big', 'a\0b']) {
      const missing = await readFileAt(mirror(), commit, path, 100).catch(() => undefined);
      assert.notEqual(missing?.exists, true, path);
    }
  });
});

describe('sensitive files', () => {
  it('are known by path, in any case', () => {
    for (const path of [
      '.vscode/tasks.json',
      'sub/.VSCode/settings.json',
      'x.code-workspace',
      '.husky/pre-commit',
      '.githooks/x',
      'hooks/pre-push',
      '.gitattributes',
      'a/.gitattributes',
      '.gitmodules',
      '.github/workflows/ci.yml',
      '.github/actions/x/action.yml',
      '.gitlab-ci.yml',
      '.circleci/config.yml',
      'Jenkinsfile',
      '.devcontainer/devcontainer.json',
      '.devcontainer.json',
      '.envrc',
      '.npmrc',
      '.yarnrc.yml',
      '.pre-commit-config.yaml',
      'lefthook.yml',
      '.claude/settings.json',
      '.mcp.json',
      '.cursor/mcp.json',
      '.cargo/config.toml',
      'build.rs',
    ]) {
      assert.notEqual(sensitivePath(path), undefined, path);
    }
    for (const path of [
      'src/hooks/useThing.ts',
      'src/hooks/post.ts',
      '.gitignore',
      '.github/CODEOWNERS',
      'Makefile',
      'docs/vscode/x.md',
      'my.vscode/x',
      'src/envrc',
      'package.json',
      'README.md',
    ]) {
      assert.equal(sensitivePath(path), undefined, path);
    }
  });

  it('are package manifests whose commands changed', () => {
    assert.equal(sensitiveManifest('{"scripts":{"a":"b"}}', '{"scripts":{"a":"b"},"version":"1"}'), undefined);
    assert.equal(sensitiveManifest('{"scripts":{"a":"b"}}', undefined), undefined);
    assert.equal(sensitiveManifest(undefined, '{}'), undefined);
    assert.match(sensitiveManifest(undefined, '{"scripts":{"a":"b"}}') ?? '', /scripts/);
    assert.match(sensitiveManifest('{}', '{"husky":{"hooks":{}}}') ?? '', /scripts/);
    assert.match(sensitiveManifest('{}', '{') ?? '', /cannot be read/);
  });
});
