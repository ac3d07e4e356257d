import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '../../../server/src/core/log.ts';
import { inspectRepository } from '../../../server/src/git/inspect.ts';
import { Mirrors } from '../../../server/src/git/mirrors.ts';
import {
  acceptedRef,
  checkpointRef,
  isBranchName,
  isRefName,
  NO_COMMIT,
  readRef,
  updateRef,
} from '../../../server/src/git/refs.ts';
import { commitAll, makeRepository, runGit, useTempFolder, writeFiles } from '../../support/tempRepository.ts';
import { arm, armedGitRuns } from './armedRepository.ts';
import { folderState } from './folderState.ts';
import { serveRepositories } from './gitHttpServer.ts';

describe('Mirrors', () => {
  const folder = useTempFolder();
  const repository = () => join(folder(), 'a "répo": with space');
  const mirrors = () => new Mirrors(join(folder(), 'mirrors'), silentLogger);

  it('copies a local commit with its history, and only reads the .git of the user', async () => {
    const first = makeRepository(repository(), { a: '1\n' });
    writeFiles(repository(), { a: '2\n', b: 'b\n' });
    const second = commitAll(repository(), 'second');
    runGit(repository(), ['gc', '-q']);
    const before = folderState(join(repository(), '.git'));
    const { mirror, commit } = await mirrors().ensure(await inspectRepository(repository()), undefined);
    assert.equal(commit, second);
    assert.equal(runGit(mirror.path, ['rev-list', commit]), `${second}\n${first}`);
    runGit(mirror.path, ['fsck', '--full', '--strict']);
    assert.deepEqual(folderState(join(repository(), '.git')), before);
  });

  it('leaves other branches and stashes where they are', async () => {
    makeRepository(repository());
    runGit(repository(), ['checkout', '-q', '-b', 'private']);
    writeFiles(repository(), { secret: 'secret\n' });
    const hidden = commitAll(repository(), 'hidden');
    runGit(repository(), ['checkout', '-q', 'main']);
    runGit(repository(), ['gc', '-q']);
    const { mirror } = await mirrors().ensure(await inspectRepository(repository()), undefined);
    assert.throws(() => runGit(mirror.path, ['cat-file', '-e', hidden]));
  });

  it('adds only what is new, resolves names, and does nothing when nothing changed', async () => {
    const first = makeRepository(repository(), { a: '1\n' });
    const all = mirrors();
    const { mirror } = await all.ensure(await inspectRepository(repository()), undefined);
    writeFiles(repository(), { b: 'b\n' });
    const second = commitAll(repository(), 'second');
    runGit(repository(), ['tag', '-a', '-m', 'x', 'v2']);
    const inspected = await inspectRepository(repository());
    assert.equal((await all.ensure(inspected, 'v2')).commit, second);
    const packs = readdirSync(join(mirror.objects, 'pack'));
    assert.equal(packs.filter(name => name.endsWith('.pack')).length, 2);
    assert.equal(runGit(mirror.path, ['count-objects', '-v']).includes('in-pack: 6'), true);
    assert.equal((await all.ensure(inspected, 'main~1')).commit, first);
    await Promise.all([1, 2, 3].map(() => all.ensure(inspected, undefined)));
    assert.deepEqual(readdirSync(join(mirror.objects, 'pack')), packs);
    await assert.rejects(all.ensure(inspected, 'nothing'), { code: 'invalid_params' });
    await assert.rejects(all.ensure(inspected, 'f'.repeat(40)), { code: 'invalid_params' });
    assert.deepEqual(all.open(inspected.repository.id), mirror);
    assert.equal(all.open('repo_none'), undefined);
    assert.throws(() => all.open('../x'));
  });

  it('carries over where a shallow clone ends', async () => {
    makeRepository(repository());
    writeFiles(repository(), { a: '2' });
    commitAll(repository(), 'second');
    const shallow = join(folder(), 'shallow');
    runGit(folder(), ['clone', '-q', '--depth', '1', `file://${encodeURI(repository())}`, shallow]);
    const { mirror, commit } = await mirrors().ensure(await inspectRepository(shallow), undefined);
    assert.equal(runGit(mirror.path, ['rev-list', '--objects', commit]).split('\n').length, 3);
    runGit(mirror.path, ['fsck', '--full']);
  });

  it('follows alternates of the user, and says when objects are missing', async () => {
    makeRepository(repository());
    const shared = join(folder(), 'shared');
    runGit(folder(), ['clone', '-q', '--shared', repository(), shared]);
    const inspected = await inspectRepository(shared);
    const { mirror, commit } = await mirrors().ensure(inspected, undefined);
    assert.equal(existsSync(join(mirror.objects, 'info/alternates')), false);
    runGit(mirror.path, ['fsck', '--full']);
    writeFileSync(join(shared, '.git/objects/info/alternates'), '/nonexistent\n');
    await assert.rejects(new Mirrors(join(folder(), 'others'), silentLogger).ensure(inspected, commit), {
      code: 'invalid_params',
    });
  });

  it('runs nothing that a hostile repository configures', async () => {
    makeRepository(repository(), { a: 'a\n', '.gitattributes': '* filter=evil diff=evil\n' });
    const marker = arm(repository(), folder());
    await mirrors().ensure(await inspectRepository(repository()), 'main');
    assert.equal(existsSync(marker), false);
    writeFiles(repository(), { a: 'changed\n' });
    assert.equal(armedGitRuns(repository(), marker), true, 'the trap works');
  });

  it('copies from a URL, with a header that only this URL gets', async () => {
    const head = makeRepository(repository());
    runGit(folder(), ['clone', '-q', '--bare', repository(), join(folder(), 'served/x.git')]);
    const server = await serveRepositories(join(folder(), 'served'), 'Basic c2VjcmV0');
    try {
      const url = `${server.url}/x.git`;
      await assert.rejects(inspectRepository(url), { code: 'forge_unauthorized' });
      const header = 'Authorization: Basic c2VjcmV0';
      const inspected = await inspectRepository(url.replace('//', '//user:pass@'), { header });
      assert.equal(inspected.head, head);
      assert.equal(inspected.repository.branch, 'main');
      assert.equal(inspected.repository.source, url);
      const { mirror, commit } = await mirrors().ensure(inspected, undefined, header);
      assert.equal(commit, head);
      runGit(mirror.path, ['fsck', '--full']);
      assert.equal(JSON.stringify(readFileSync(join(mirror.path, 'config'), 'utf8')).includes('c2VjcmV0'), false);
      await assert.rejects(inspectRepository(url, { header, base: 'none' }), { code: 'invalid_params' });
    } finally {
      await server.close();
    }
  });
});

describe('refs', () => {
  const folder = useTempFolder();

  it('moves a ref only from where it should be', async () => {
    const first = makeRepository(join(folder(), 'r'));
    writeFiles(join(folder(), 'r'), { a: '2' });
    const second = commitAll(join(folder(), 'r'), '2');
    const { mirror } = await new Mirrors(folder(), silentLogger).ensure(
      await inspectRepository(join(folder(), 'r')),
      undefined,
    );
    const ref = checkpointRef('ses_1', 3);
    assert.equal(ref, 'refs/sandpiper/ses_1/turn/3');
    assert.equal(await readRef(mirror, ref), undefined);
    await updateRef(mirror, ref, first, NO_COMMIT);
    await assert.rejects(updateRef(mirror, ref, second, NO_COMMIT), { code: 'conflict' });
    await updateRef(mirror, ref, second, first);
    await updateRef(mirror, ref, second, first);
    assert.equal(await readRef(mirror, ref), second);
    runGit(mirror.path, ['pack-refs', '--all']);
    assert.equal(await readRef(mirror, ref), second);
    const lock = join(mirror.path, `${ref}.lock`);
    await updateRef(mirror, ref, first);
    await updateRef(mirror, ref, second);
    writeFileSync(lock, '');
    await assert.rejects(updateRef(mirror, ref, first), { code: 'git_failed' });
    utimesSync(lock, 1, 1);
    await updateRef(mirror, ref, first);
    assert.equal(await readRef(mirror, ref), first);
    assert.throws(() => acceptedRef('../x'));
    assert.throws(() => checkpointRef('ses_1', -1));
  });

  it('knows the names that git takes', () => {
    const names = [
      'a',
      'a/b',
      'a.lock',
      'a.lock/b',
      '.a',
      'a..b',
      'a b',
      'a~',
      'a^',
      'a:',
      'a?',
      'a*',
      'a[',
      'a\\',
      'a/',
      '/a',
      'a//b',
      'a.',
      '@',
      'a@{b',
      'é',
      'a\u007f',
      '-a',
    ];
    for (const name of names) {
      let expected = true;
      try {
        runGit(folder(), ['check-ref-format', `refs/heads/${name}`]);
      } catch {
        expected = false;
      }
      assert.equal(isRefName(`refs/heads/${name}`), expected, name);
    }
    assert.equal(isBranchName('-a'), false);
    assert.equal(isBranchName('HEAD'), false);
    assert.equal(isBranchName('feature/x-1'), true);
  });
});
