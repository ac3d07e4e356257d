import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { decideHunks, editFile, type Sides } from '../../../server/src/review/decide.ts';
import { countPending, listPending } from '../../../server/src/review/pending.ts';
import { rejects } from '../../support/rejects.ts';
import { GIT_TEST_ENV, runGit, useTempFolder } from '../../support/tempRepository.ts';
import { commitFiles, type TreeFiles } from '../../support/treeFiles.ts';

const BASE: TreeFiles = {
  'src/app.ts': { content: 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n' },
  'src/deep/er/util.ts': { content: 'a\nb\n' },
  'docs/read me.md': { content: 'text\r\nmore\r\n' },
  'bin.dat': { content: Buffer.from([0, 1, 2, 255]) },
  'tool.sh': { content: '#!/bin/sh\n' },
  link: { mode: '120000', content: 'src/app.ts' },
  untouched: { content: 'stays\n' },
};

describe('deciding on hunks and files', () => {
  const folder = useTempFolder();
  let mirror: Mirror;

  beforeEach(() => {
    const path = join(folder(), 'mirror.git');
    runGit(folder(), ['init', '-q', '--bare', path]);
    mirror = { path, objects: join(path, 'objects') };
  });

  const commit = (files: TreeFiles): string => commitFiles(mirror.path, files);
  const changed = (changes: Record<string, TreeFiles[string] | undefined>): TreeFiles =>
    Object.fromEntries(Object.entries({ ...BASE, ...changes }).flatMap(([path, file]) => (file ? [[path, file]] : [])));
  const tree = (at: string): string => runGit(mirror.path, ['rev-parse', `${at}^{tree}`]);
  const show = (at: string, path: string): string => runGit(mirror.path, ['show', `${at}:${path}`]);

  it('moves one hunk into the accepted tree and leaves the others pending', async () => {
    const sides: Sides = {
      accepted: commit(BASE),
      proposed: commit(changed({ 'src/app.ts': { content: 'ONE\ntwo\nthree\nfour\nfive\nsix\nSEVEN\neight\n' } })),
    };
    const [file] = await listPending(mirror, sides.accepted, sides.proposed);
    assert.equal(file?.hunks.length, 2);
    const second = file.hunks[1]?.id ?? '';
    const after = await decideHunks(mirror, sides, 'accept', [{ path: 'src/app.ts', hunks: [second] }]);
    assert.equal(after.proposed, sides.proposed);
    assert.equal(show(after.accepted, 'src/app.ts'), 'one\ntwo\nthree\nfour\nfive\nsix\nSEVEN\neight');
    const [left] = await listPending(mirror, after.accepted, after.proposed);
    assert.deepEqual(
      left?.hunks.map(({ id }) => id),
      [file.hunks[0]?.id],
    );
    await rejects(decideHunks(mirror, after, 'accept', [{ path: 'src/app.ts', hunks: [second] }]), 'stale');
    const rejected = await decideHunks(mirror, after, 'reject', [
      { path: 'src/app.ts', hunks: [left?.hunks[0]?.id ?? ''] },
    ]);
    assert.equal(tree(rejected.accepted), tree(rejected.proposed));
    assert.equal(runGit(mirror.path, ['rev-parse', `${after.accepted}^`]), sides.accepted);
  });

  it('decides on files that come, go, are renamed, change their kind or mode, or are binary, as a whole', async () => {
    const sides: Sides = {
      accepted: commit(BASE),
      proposed: commit(
        changed({
          'new/file.txt': { content: 'new\n' },
          'src/deep/er/util.ts': undefined,
          'docs/read me.md': undefined,
          'docs/readme.md': { content: 'text\r\nmore\r\n' },
          'bin.dat': { content: Buffer.from([0, 9]) },
          'tool.sh': { mode: '100755', content: '#!/bin/sh\n' },
          link: { mode: '120000', content: 'untouched' },
        }),
      ),
    };
    const files = await listPending(mirror, sides.accepted, sides.proposed);
    assert.deepEqual(countPending(files), { files: 6, hunks: 6 });
    for (const verdict of ['accept', 'reject'] as const) {
      let now = sides;
      for (const { path } of files) {
        now = await decideHunks(mirror, now, verdict, [{ path }]);
      }
      const want = verdict === 'accept' ? sides.proposed : sides.accepted;
      assert.equal(tree(now.accepted), tree(want));
      assert.equal(tree(now.proposed), tree(want));
    }
    runGit(mirror.path, ['fsck', '--strict', '--no-dangling']);
  });

  it('takes a mode along with the last hunk of its file', async () => {
    const sides: Sides = {
      accepted: commit(BASE),
      proposed: commit(changed({ 'tool.sh': { mode: '100755', content: '#!/bin/sh\nexit 0\n' } })),
    };
    const [file] = await listPending(mirror, sides.accepted, sides.proposed);
    const after = await decideHunks(mirror, sides, 'accept', [
      { path: 'tool.sh', hunks: (file?.hunks ?? []).map(({ id }) => id) },
    ]);
    assert.equal(tree(after.accepted), tree(sides.proposed));
  });

  it('lets a file take the place of a folder, and the other way round', async () => {
    const proposed = changed({
      'src/deep/er/util.ts': undefined,
      'src/deep': { content: 'a file\n' },
      link: undefined,
    });
    const sides: Sides = {
      accepted: commit(BASE),
      proposed: commit({ ...proposed, 'link/inner': { content: 'in a folder now\n' } }),
    };
    const all = (await listPending(mirror, sides.accepted, sides.proposed)).map(({ path }) => ({ path }));
    const after = await decideHunks(mirror, sides, 'accept', all);
    assert.equal(tree(after.accepted), tree(sides.proposed));
    const back = await decideHunks(mirror, sides, 'reject', all.toReversed());
    assert.equal(tree(back.proposed), tree(sides.accepted));
  });

  it('keeps what a reviewer typed, and refuses text that was made from another version', async () => {
    const sides: Sides = {
      accepted: commit(BASE),
      proposed: commit(changed({ 'src/app.ts': { content: 'agent\n' } })),
    };
    const expected = runGit(mirror.path, ['rev-parse', `${sides.proposed}:src/app.ts`]);
    const mine = Buffer.from('agent\nand I\n');
    const after = await editFile(mirror, sides, { path: 'src/app.ts', content: mine, expected });
    assert.equal(show(after.proposed, 'src/app.ts'), 'agent\nand I');
    assert.equal(after.accepted, sides.accepted);
    await rejects(editFile(mirror, after, { path: 'src/app.ts', content: Buffer.from('late'), expected }), 'stale');
    const same = await editFile(mirror, after, {
      path: 'src/app.ts',
      content: mine,
      expected: runGit(mirror.path, ['rev-parse', `${after.proposed}:src/app.ts`]),
    });
    assert.equal(same.proposed, after.proposed);
    const gone = await editFile(mirror, sides, { path: 'src/app.ts', content: undefined, expected });
    assert.equal(runGit(mirror.path, ['ls-tree', gone.proposed, 'src/app.ts']), '');
  });

  it('converges for any changes and any order of accepts and rejects, as git would apply them', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(fc.constantFrom('f', 'd/f', 'd/e/g', 'd', 'x'), text()), {
          selector: ([path]) => path,
        }),
        fc.uniqueArray(fc.tuple(fc.constantFrom('f', 'd/f', 'd/e/g', 'd', 'x'), text()), {
          selector: ([path]) => path,
        }),
        fc.infiniteStream(fc.tuple(fc.boolean(), fc.nat())),
        async (one, other, choices) => {
          const keep = ['keep/me', { content: 'as it is\n' }] as const;
          const sides = [one, other].map(entries => commit(Object.fromEntries([...withoutClash(entries), keep])));
          let now: Sides = { accepted: sides[0] ?? '', proposed: sides[1] ?? '' };
          for (;;) {
            const files = await listPending(mirror, now.accepted, now.proposed);
            if (files.length === 0) {
              break;
            }
            const [accept, index] = choices.next().value;
            const file = files[index % files.length];
            assert.ok(file);
            const hunk = file.hunks[index % Math.max(1, file.hunks.length)];
            const before = now;
            now = await decideHunks(mirror, now, accept ? 'accept' : 'reject', [
              { path: file.path, ...(hunk ? { hunks: [hunk.id] } : {}) },
            ]);
            const side = accept ? 'accepted' : 'proposed';
            // Nothing outside of what was decided has changed.
            const touched = runGit(mirror.path, [
              'diff-tree',
              '-r',
              '--no-renames',
              '--name-only',
              before[side],
              now[side],
            ]);
            const allowed = [file.path, file.oldPath];
            assert.ok(
              touched.split('\n').every(path => allowed.some(own => path === own || overlaps(path, own))),
              `${touched} for ${file.path}`,
            );
          }
          assert.equal(tree(now.accepted), tree(now.proposed));
          assert.equal(show(now.accepted, 'keep/me'), 'as it is');
        },
      ),
      { numRuns: 25 },
    );
    runGit(mirror.path, ['fsck', '--strict', '--no-dangling']);
  });

  it('gives the bytes that `git apply` gives for the same hunks', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(text(), text(), fc.infiniteStream(fc.boolean()), async (before, after, coins) => {
        const base = commit({ f: before });
        const proposed = commit({ f: after });
        const [file] = await listPending(mirror, base, proposed);
        const chosen = (file?.hunks ?? []).filter(() => coins.next().value);
        if (!file || chosen.length === 0) {
          return;
        }
        const hunks = chosen.map(({ id }) => id);
        const { accepted } = await decideHunks(mirror, { accepted: base, proposed }, 'accept', [{ path: 'f', hunks }]);
        const patch = runRaw(mirror.path, ['diff-tree', '-p', '-U0', '--full-index', base, proposed]);
        const index = { GIT_INDEX_FILE: join(folder(), `index-${Math.random()}`) };
        runGit(mirror.path, ['read-tree', base], { env: index });
        runGit(mirror.path, ['apply', '--cached', '--unidiff-zero', '--whitespace=nowarn'], {
          env: index,
          input: onlyHunks(
            patch,
            file.hunks.map(({ id }) => hunks.includes(id)),
          ),
        });
        assert.equal(runGit(mirror.path, ['write-tree'], { env: index }), tree(accepted));
      }),
      { numRuns: 40 },
    );
  });
});

function text(): fc.Arbitrary<{ content: Buffer }> {
  const line = fc.constantFrom('a\n', 'b\n', 'c\r\n', '\n', '\u00e9\n', 'd\n', 'e\n');
  return fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('', 'no end', '\xff'))
    .map(([lines, last]) => ({ content: Buffer.from(lines.join('') + last, last === '\xff' ? 'latin1' : 'utf8') }));
}

/** A path cannot be both a file and a folder: the first one wins. */
function withoutClash<T>(entries: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  return entries.filter(([path], index) => !entries.slice(0, index).some(([earlier]) => overlaps(path, earlier)));
}

function overlaps(path: string, other: string | undefined): boolean {
  return other !== undefined && (path.startsWith(`${other}/`) || other.startsWith(`${path}/`));
}

function runRaw(cwd: string, args: string[]): Buffer {
  return Buffer.from(execFileSync('git', args, { cwd, env: GIT_TEST_ENV }));
}

/** The patch with some of its hunks. `git apply` puts one where its new lines would be: without those that are left out. */
function onlyHunks(patch: Buffer, wanted: readonly boolean[]): Buffer {
  const [header = '', ...hunks] = patch.toString('latin1').split(/^(?=@@ )/m);
  let leftOut = 0;
  const kept = hunks.map((hunk, index) => {
    const [, old = '', start = '', added = '1'] = /^@@ -(\S+) \+(\d+)(?:,(\d+))? @@/.exec(hunk) ?? [];
    if (!wanted[index]) {
      leftOut += Number(added) - Number(old.split(',')[1] ?? 1);
      return '';
    }
    return hunk.replace(/^@@ .*? @@/, `@@ -${old} +${Number(start) - leftOut},${added} @@`);
  });
  return Buffer.from(header + kept.join(''), 'latin1');
}
