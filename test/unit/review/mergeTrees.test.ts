import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { mergeTrees } from '../../../server/src/review/mergeTrees.ts';
import { GIT_TEST_ENV, runGit, useTempFolder } from '../../support/tempRepository.ts';
import { commitFiles, type TreeFiles } from '../../support/treeFiles.ts';

const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];

describe('merging trees', () => {
  const folder = useTempFolder();
  let mirror: Mirror;

  beforeEach(() => {
    const path = join(folder(), 'mirror.git');
    runGit(folder(), ['init', '-q', '--bare', path]);
    mirror = { path, objects: join(path, 'objects') };
  });

  const text = (changes: Record<number, string> = {}): string =>
    `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;
  const merge = (base: TreeFiles, ours: TreeFiles, theirs: TreeFiles) =>
    mergeTrees(
      mirror,
      {
        base: commitFiles(mirror.path, base),
        ours: commitFiles(mirror.path, ours),
        theirs: commitFiles(mirror.path, theirs),
      },
      'test',
    );
  const show = (at: string, path: string): string => runGit(mirror.path, ['show', `${at}:${path}`]);
  const paths = (at: string): string[] => runGit(mirror.path, ['ls-tree', '-r', '--name-only', at]).split('\n');

  it('keeps what the reviewer took out and what they typed, and brings what the agent did next', async () => {
    const { commit, conflicts } = await merge(
      { f: { content: text({ 0: 'AGENT' }) }, g: { content: 'g\n' } },
      { f: { content: text({ 3: 'MINE' }) }, g: { content: 'g\n' } },
      { f: { content: text({ 0: 'AGENT', 6: 'NEXT' }) }, g: { content: 'g2\n' }, h: { content: 'new\n' } },
    );
    assert.deepEqual(conflicts, []);
    assert.equal(`${show(commit, 'f')}\n`, text({ 3: 'MINE', 6: 'NEXT' }));
    assert.equal(show(commit, 'g'), 'g2');
    assert.equal(show(commit, 'h'), 'new');
  });

  it('shows a conflict and keeps the reviewer’s version', async () => {
    const { commit, conflicts } = await merge(
      { f: { content: text() }, gone: { content: 'x\n' }, bin: { content: Buffer.from([0, 1]) } },
      { f: { content: text({ 2: 'MINE' }) }, gone: { content: 'mine\n' }, bin: { content: Buffer.from([0, 2]) } },
      { f: { content: text({ 2: 'THEIRS' }) }, bin: { content: Buffer.from([0, 3]) } },
    );
    assert.deepEqual(conflicts.map(({ path }) => path).toSorted(), ['bin', 'f', 'gone']);
    assert.equal(`${show(commit, 'f')}\n`, text({ 2: 'MINE' }));
    assert.equal(show(commit, 'gone'), 'mine');
  });

  it('loses nothing of the reviewer where a folder takes the place of a file, and the other way round', async () => {
    const first = await merge(
      { keep: { content: 'k\n' } },
      { keep: { content: 'k\n' }, a: { content: 'mine\n' } },
      { keep: { content: 'k2\n' }, 'a/b': { content: 'theirs\n' } },
    );
    assert.deepEqual(paths(first.commit), ['a', 'keep']);
    assert.equal(show(first.commit, 'keep'), 'k2');
    assert.deepEqual(
      first.conflicts.map(({ path }) => path),
      ['a/b'],
    );
    const second = await merge(
      { 'a/b': { content: 'b\n' } },
      { 'a/b': { content: 'b\n' }, 'a/mine': { content: 'mine\n' } },
      { a: { content: 'a file now\n' } },
    );
    assert.deepEqual(paths(second.commit).includes('a/mine'), true);
    assert.equal(second.conflicts.length > 0, true);
  });

  it('merges a new mode with new content, also where that is no text', async () => {
    const [before, after] = [Buffer.from([0, 1]), Buffer.from([0, 2])];
    const { commit, conflicts } = await merge(
      { mine: { content: before }, theirs: { content: before } },
      { mine: { content: after }, theirs: { content: before, mode: '100755' } },
      { mine: { content: before, mode: '100755' }, theirs: { content: after } },
    );
    assert.deepEqual(conflicts, []);
    const id = runGit(mirror.path, ['hash-object', '--stdin'], { input: after });
    assert.equal(runGit(mirror.path, ['ls-tree', commit]), `100755 blob ${id}\tmine\n100755 blob ${id}\ttheirs`);
  });

  it('gives the tree that git gives, with conflicts where git has them', async function () {
    this.timeout(120_000);
    const lines = fc.record({ 0: word(), 3: word(), 6: word() }).map(changes => text(changes));
    const file = fc.record({
      content: fc.oneof({ weight: 4, arbitrary: lines }, { weight: 1, arbitrary: fc.constantFrom('\0a', '\0b') }),
      mode: fc.constantFrom('100644', '100644', '100755'),
    });
    const files = fc.dictionary(fc.constantFrom('f', 'd/g', 'd/h'), file, { maxKeys: 3, noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(files, files, files, async (...three) => {
        const [base = '', ...sides] = three.map(one => commitFiles(mirror.path, unlike(one)));
        const [ours = '', theirs = ''] = sides.map(side =>
          runGit(mirror.path, ['commit-tree', '-m', 'side', '-p', base, `${side}^{tree}`]),
        );
        const { commit, conflicts } = await mergeTrees(mirror, { base, ours, theirs }, 'test');
        const byGit = mergeByGit(mirror, ours, theirs);
        assert.deepEqual(conflicts.map(({ path }) => path).toSorted(), byGit.conflicts);
        if (conflicts.length === 0) {
          assert.equal(runGit(mirror.path, ['rev-parse', `${commit}^{tree}`]), byGit.tree);
        }
        for (const { path, ours: kept } of conflicts) {
          const now = runGit(mirror.path, ['ls-tree', commit, path]);
          assert.equal(now, kept ? `${kept.mode} blob ${kept.id}\t${path}` : '');
        }
      }),
      { numRuns: 40 },
    );
    runGit(mirror.path, ['fsck', '--strict', '--no-dangling']);
  });
});

/** So that git takes none of them for another one that was moved. */
function unlike(files: Record<string, { content: string; mode: string }>): TreeFiles {
  const own = Object.entries(files).map(([path, { content, mode }]) => [
    path,
    { content: content.replaceAll(/$/gm, ` of ${path}`), mode },
  ]);
  return { ...Object.fromEntries(own), k: { content: 'k\n' } };
}

function mergeByGit({ path }: Mirror, ours: string, theirs: string): { tree: string; conflicts: string[] } {
  const merge = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs];
  // It exits with 1 where there are conflicts.
  const { stdout } = spawnSync('git', ['-c', 'merge.renames=false', ...merge], {
    cwd: path,
    env: GIT_TEST_ENV,
    encoding: 'utf8',
  });
  const [tree = '', ...conflicts] = stdout.split('\0').filter(field => field !== '');
  return { tree, conflicts: [...new Set(conflicts)].toSorted() };
}

function word(): fc.Arbitrary<string> {
  return fc.constantFrom('x', 'y', 'one');
}
