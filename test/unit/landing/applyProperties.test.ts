import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
  mkdirSync,
  realpathSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { undoApply } from '../../../landing/applyChanges.ts';
import { ApplyWorld } from '../../support/applyWorld.ts';
import { commitAll, GIT_TEST_ENV, runGit } from '../../support/tempRepository.ts';
import { folderState } from '../git/folderState.ts';

const PATHS = ['a.txt', 'dir/b.txt', 'dir/deep/c.txt', 'd', 'dir/e'];
const LINES = 12;

type Edit =
  | { kind: 'line'; at: number; text: string }
  | { kind: 'insert'; at: number; text: string }
  | { kind: 'cut'; at: number }
  | { kind: 'delete' }
  | { kind: 'mode' }
  | { kind: 'noEnd' }
  | { kind: 'binary'; byte: number };

const text = fc.constantFrom('x', 'y', 'z', 'longer line', '');
const at = fc.nat({ max: LINES - 1 });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('line' as const), at, text }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('insert' as const), at, text }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), at }) },
  fc.constant<Edit>({ kind: 'delete' }),
  fc.constant<Edit>({ kind: 'mode' }),
  fc.constant<Edit>({ kind: 'noEnd' }),
  fc.record({ kind: fc.constant('binary' as const), byte: fc.nat({ max: 3 }) }),
);
const side = fc.record({
  edits: fc.array(fc.tuple(fc.constantFrom(...PATHS), edit), { maxLength: 6 }),
  added: fc.uniqueArray(fc.tuple(fc.constantFrom('new1', 'dir/new2', 'other/new3'), text), {
    selector: ([path]) => path,
    maxLength: 3,
  }),
});
type Side = typeof side extends fc.Arbitrary<infer T> ? T : never;

describe('applying a change', function () {
  this.timeout(120_000);

  it('makes of any two changes what git makes of them, keeps yours where git has a conflict, and undoes to the byte', async () => {
    await fc.assert(
      fc.asyncProperty(side, side, async (theirs, ours) => {
        const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sandpiper-test-')));
        try {
          await check(folder, theirs, ours);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: Number(process.env['SANDPIPER_RUNS'] ?? 12) },
    );
  });
});

async function check(folder: string, theirs: Side, ours: Side): Promise<void> {
  const world = new ApplyWorld(folder, Object.fromEntries(PATHS.map(path => [path, original(path)])));
  const agent = world.agent(root => change(root, theirs));
  change(world.root, ours);
  const before = folderState(world.root);
  cpSync(world.root, join(folder, 'mine'), { recursive: true });
  const mine = readAll(world.root);
  const plan = await world.plan();
  const record = await world.apply(plan);
  const expected = mergeByGit(world, agent);
  assert.deepEqual(plan.conflicts.map(({ path }) => path).toSorted(), expected.conflicts);
  const after = readAll(world.root);
  for (const path of new Set([...Object.keys(after), ...Object.keys(expected.files), ...Object.keys(mine)])) {
    const wanted = expected.conflicts.includes(path) ? mine[path] : expected.files[path];
    assert.deepEqual(after[path], wanted, path);
  }
  await undoApply(world.records, record);
  assert.deepEqual(readAll(world.root), mine);
  assert.deepEqual(Object.keys(folderState(world.root)), Object.keys(before), 'nothing is left behind');
}

function original(path: string): string {
  return Array.from({ length: LINES }, (_, index) => `${path} ${index}\n`).join('');
}

function change(root: string, { edits, added }: Side): void {
  for (const [path, what] of edits) {
    const full = join(root, path);
    if (!existsSync(full)) {
      continue;
    }
    const lines = readFileSync(full, 'latin1').split(/(?<=\n)/);
    switch (what.kind) {
      case 'line':
        lines[what.at] = `${what.text}\n`;
        break;
      case 'insert':
        lines.splice(what.at, 0, `${what.text}\n`);
        break;
      case 'cut':
        lines.splice(what.at, 2);
        break;
      case 'noEnd':
        lines.push(lines.pop()?.trimEnd() ?? '');
        break;
      case 'binary':
        lines.splice(0, lines.length, `\0${what.byte}`);
        break;
      case 'delete':
        rmSync(full);
        continue;
      case 'mode':
        chmodSync(full, (lstatSync(full).mode & 0o777) ^ 0o111);
        continue;
    }
    writeFileSync(full, lines.join(''), 'latin1');
  }
  for (const [path, content] of added) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** The same merge by git itself, with the user's files as a commit in a copy of their repository. */
function mergeByGit(world: ApplyWorld, agent: string): { files: Record<string, string>; conflicts: string[] } {
  const copy = join(world.folder, 'mine');
  runGit(copy, ['fetch', '-q', join(world.folder, 'agent'), 'HEAD']);
  commitAll(copy, 'mine');
  const result = spawnSync(
    'git',
    ['-c', 'merge.renames=false', 'merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', 'HEAD', agent],
    { cwd: copy, env: GIT_TEST_ENV, encoding: 'utf8' },
  );
  const [tree = '', ...conflicts] = result.stdout.split('\0').filter(field => field !== '');
  const listed = runGit(copy, ['ls-tree', '-r', tree])
    .split('\n')
    .filter(line => line !== '');
  const files = Object.fromEntries(
    listed.map(line => {
      const [, mode = '', id = '', path = ''] = /^(\d+) blob (\w+)\t(.*)$/.exec(line) ?? [];
      const content = spawnSync('git', ['cat-file', 'blob', id], { cwd: copy, env: GIT_TEST_ENV }).stdout;
      return [path, `${mode === '100755' ? 'x' : '-'}${content.toString('latin1')}`];
    }),
  );
  return { files, conflicts: [...new Set(conflicts)].toSorted() };
}

/** Every file with its bytes and whether it is executable, without git's own. */
function readAll(root: string): Record<string, string> {
  const listed = runGit(root, ['ls-files', '-z', '--cached', '--others']).split('\0');
  return Object.fromEntries(
    listed
      .filter(path => path !== '' && existsSync(join(root, path)))
      .map(path => {
        const full = join(root, path);
        return [path, `${(lstatSync(full).mode & 0o100) === 0 ? '-' : 'x'}${readFileSync(full, 'latin1')}`];
      }),
  );
}
