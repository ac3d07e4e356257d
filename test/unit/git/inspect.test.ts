import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { inspectRepository } from '../../../server/src/git/inspect.ts';
import { userIdentity } from '../../../server/src/git/land.ts';
import { commitAll, makeRepository, runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { arm, armedGitRuns } from './armedRepository.ts';
import { folderState } from './folderState.ts';

describe('inspectRepository', () => {
  const folder = useTempFolder();
  const repository = () => join(folder(), 'répo with space');

  it('says where a session would start, from any folder inside the work tree', async () => {
    const head = makeRepository(repository(), { 'deep/er/file': 'x\n' });
    const found = await inspectRepository(join(repository(), 'deep/er'));
    assert.equal(found.head, head);
    assert.equal(found.repository.branch, 'main');
    assert.equal(found.repository.source, repository());
    assert.equal(found.repository.name, 'répo with space');
    assert.match(found.repository.id, /^repo_[0-9a-f]{26}$/);
    assert.equal(found.detached, false);
    assert.equal(found.uncommitted, 0);
    assert.deepEqual(found.notes, []);
  });

  it('counts changed and untracked files, without ignored ones, and leaves .git as it is', async () => {
    makeRepository(repository(), { a: 'a\n', b: 'b\n', '.gitignore': '*.log\n' });
    writeFiles(repository(), { a: 'changed\n', 'new/one': '1', 'new/two': '2', 'x.log': 'ignored' });
    rmSync(join(repository(), 'b'));
    const before = folderState(join(repository(), '.git'));
    const found = await inspectRepository(repository());
    assert.equal(found.uncommitted, 4);
    assert.deepEqual(folderState(join(repository(), '.git')), before);
  });

  it("honours what the user ignores everywhere, so that their secrets are not 'untracked'", async () => {
    makeRepository(repository());
    writeFiles(folder(), {
      'home/.config/git/ignore': '.env\n',
      'other/.gitconfig': '[core]\nexcludesFile = ~/ign\n',
      'other/ign': '*.key\n',
    });
    writeFiles(repository(), { '.env': 'secret', 'x.key': 'secret' });
    assert.equal((await inspectRepository(repository(), { home: join(folder(), 'home') })).uncommitted, 1);
    assert.equal((await inspectRepository(repository(), { home: join(folder(), 'other') })).uncommitted, 1);
    assert.equal((await inspectRepository(repository(), { home: '/nonexistent' })).uncommitted, 2);
  });

  it('knows the remote that a pull request would go to, without credentials', async () => {
    makeRepository(repository());
    runGit(repository(), ['remote', 'add', 'upstream', 'https://user:secret@example.com/team/repo.git']);
    assert.equal((await inspectRepository(repository())).repository.remoteUrl, 'https://example.com/team/repo.git');
    runGit(repository(), ['remote', 'add', 'origin', 'gh:me/repo']);
    runGit(repository(), ['config', 'url.https://token@github.com/.insteadOf', 'gh:']);
    assert.equal((await inspectRepository(repository())).repository.remoteUrl, 'https://github.com/me/repo');
    runGit(repository(), ['config', 'branch.main.remote', 'upstream']);
    assert.equal((await inspectRepository(repository())).repository.remoteUrl, 'https://example.com/team/repo.git');
  });

  it('starts from another base when asked, also one with an odd name', async () => {
    const first = makeRepository(repository());
    runGit(repository(), ['update-ref', 'refs/heads/-odd', first]);
    runGit(repository(), ['tag', '-a', '-m', 'x', 'v1']);
    writeFiles(repository(), { a: '2' });
    const second = commitAll(repository(), 'second');
    assert.equal((await inspectRepository(repository())).head, second);
    for (const base of ['-odd', 'v1', 'main~1', first]) {
      assert.equal((await inspectRepository(repository(), { base })).head, first, base);
    }
    for (const base of ['nothing', '--all', '', 'main:a']) {
      await assert.rejects(inspectRepository(repository(), { base }), { code: 'invalid_params' }, base);
    }
  });

  it('knows the branch that another base belongs to', async () => {
    makeRepository(repository());
    runGit(repository(), ['tag', 'v1']);
    runGit(repository(), ['checkout', '-q', '-b', 'team/other']);
    writeFiles(repository(), { a: '2' });
    const there = commitAll(repository(), 'on other');
    runGit(repository(), ['checkout', '-q', 'main']);
    const clone = join(folder(), 'clone');
    runGit(folder(), ['clone', '-q', repository(), clone]);
    const branchOf = async (base: string) => (await inspectRepository(clone, { base })).repository.branch;
    assert.equal(await branchOf('origin/team/other'), 'team/other');
    assert.equal(await branchOf('HEAD'), 'main');
    assert.equal(await branchOf('v1'), 'main');
    assert.equal(await branchOf(there), undefined, 'no branch here has it');
    assert.equal((await inspectRepository(repository(), { base: 'team/other' })).repository.branch, 'team/other');
  });

  it('reads a detached HEAD, a bare repository and a linked work tree', async () => {
    const head = makeRepository(repository());
    const linked = join(folder(), '-linked');
    runGit(repository(), ['worktree', 'add', '-q', '-b', 'side', linked]);
    const main = await inspectRepository(repository());
    const side = await inspectRepository(linked);
    assert.equal(side.repository.branch, 'side');
    assert.equal(side.repository.id, main.repository.id, 'work trees share a mirror');
    runGit(repository(), ['checkout', '-q', '--detach']);
    const detached = await inspectRepository(repository());
    assert.equal(detached.detached, true);
    assert.equal(detached.repository.branch, undefined);
    const bare = join(folder(), 'bare.git');
    runGit(folder(), ['clone', '-q', '--bare', repository(), bare]);
    const found = await inspectRepository(bare);
    assert.equal(found.head, head);
    assert.equal(found.repository.name, 'bare');
  });

  it('refuses what is not a repository, and says which', async () => {
    for (const source of [
      folder(),
      join(folder(), 'none'),
      'relative/path',
      'ext::sh -c id',
      'http://example.com/x',
      '-x',
    ]) {
      await assert.rejects(inspectRepository(source), { code: 'not_a_repository' }, source);
    }
    mkdirSync(repository());
    runGit(repository(), ['init', '-q']);
    await assert.rejects(inspectRepository(repository()), { code: 'empty_repository' });
    await assert.rejects(inspectRepository('https://127.0.0.1:1/x.git'), { code: 'repository_unreachable' });
  });

  it('notes what the user should know', async () => {
    makeRepository(repository(), { a: '1', '.gitattributes': '*.bin filter=lfs\n', '.gitmodules': '' });
    writeFiles(repository(), { a: '2', '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = https://example.com/x\n' });
    commitAll(repository(), 'second');
    const shallow = join(folder(), 'shallow');
    runGit(folder(), ['clone', '-q', '--depth', '1', `file://${encodeURI(repository())}`, shallow]);
    writeFiles(shallow, { huge: '' });
    truncateSync(join(shallow, 'huge'), 100_000_000);
    makeRepository(join(shallow, 'inner'));
    const notes = (await inspectRepository(shallow)).notes.join('\n');
    for (const word of [/shallow/, /Submodules/, /filter/, /huge \(100 MB\)/, /inner\//]) {
      assert.match(notes, word);
    }
  });

  it('does not let a configuration point at files elsewhere', async () => {
    makeRepository(repository());
    writeFiles(folder(), { 'private/id_rsa': 'secret' });
    runGit(repository(), ['config', 'core.worktree', join(folder(), 'private')]);
    await assert.rejects(inspectRepository(repository()), { code: 'not_a_repository', message: /private/ });
  });

  it('runs nothing that a hostile repository configures', async () => {
    makeRepository(repository(), { a: 'a\n', 'sub/x': 'x', '.gitattributes': '* filter=evil diff=evil\n' });
    const marker = arm(repository(), folder());
    makeRepository(join(repository(), 'nested'));
    arm(join(repository(), 'nested'), folder());
    writeFiles(repository(), { a: 'b\n', new: 'n' });
    assert.equal((await inspectRepository(repository())).uncommitted, 3);
    assert.equal(existsSync(marker), false);
    assert.equal(armedGitRuns(repository(), marker), true, 'the trap works');
  });

  it('reads who the user is', async () => {
    makeRepository(repository());
    assert.equal(await userIdentity(repository(), '/nonexistent'), undefined);
    runGit(repository(), ['config', 'user.name', 'Ada']);
    runGit(repository(), ['config', 'user.email', 'ada@example.com']);
    assert.deepEqual(await userIdentity(repository(), '/nonexistent'), { name: 'Ada', email: 'ada@example.com' });
  });
});
