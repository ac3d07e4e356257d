import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { mergeTrees } from '../../../server/src/review/mergeTrees.ts';
import { runGit, useTempFolder } from '../../support/tempRepository.ts';
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

  it('gives the tree that git gives, wherever git sees no conflict', async function () {
    this.timeout(120_000);
    const content = fc.record({ 0: word(), 3: word(), 6: word() }).map(changes => ({ content: text(changes) }));
    const files = fc.dictionary(fc.constantFrom('f', 'd/g', 'd/h'), content, { maxKeys: 3, noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(files, files, files, async (...three) => {
        const [base, ours, theirs] = three.map(one => commitFiles(mirror.path, { ...one, k: { content: 'k\n' } }));
        assert.ok(base && ours && theirs);
        const { commit, conflicts } = await mergeTrees(mirror, { base, ours, theirs }, 'test');
        const index = { GIT_INDEX_FILE: join(folder(), `index-${Math.random()}`) };
        runGit(mirror.path, ['read-tree', '-i', '-m', '--aggressive', base, ours, theirs], { env: index });
        const unmerged = runGit(mirror.path, ['ls-files', '-u'], { env: index });
        if (unmerged === '') {
          assert.deepEqual(conflicts, []);
          const expected = runGit(mirror.path, ['write-tree'], { env: index });
          assert.equal(runGit(mirror.path, ['rev-parse', `${commit}^{tree}`]), expected);
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

function word(): fc.Arbitrary<string> {
  return fc.constantFrom('x', 'y', 'one');
}
