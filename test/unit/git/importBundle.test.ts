import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { importBundle } from '../../../server/src/git/importBundle.ts';
import type { Mirror } from '../../../server/src/git/mirror.ts';
import { readRef, updateRef } from '../../../server/src/git/refs.ts';
import {
  commitAll,
  GIT_TEST_ENV,
  makeRepository,
  runGit,
  useTempFolder,
  writeFiles,
} from '../../support/tempRepository.ts';
import { folderContents } from './folderState.ts';
import { makeSandboxClone, type SandboxClone } from './sandboxClone.ts';

const HOSTILE = join(import.meta.dirname, '../../fixtures/hostile-bundles');
/** The commit that the hostile bundles build on: one file `a`, fixed name and date. */
const HOSTILE_BASE = 'f657a4ed4526177839184934123c2e1471d35bc6';

/** What each is refused for. With another reason the test would prove nothing. */
const REASONS: Record<string, RegExp> = {
  bomb: /larger than 100 MB/,
  dotdot: /hasDotdot/,
  dotgit: /hasDotgit/,
  dotgitcase: /hasDotgit/,
  gitmoduleslink: /gitmodulesSymlink/,
  gitmodulesurl: /gitmodulesUrl/,
  ntfs: /hasDotgit/,
  slash: /fullPathname/,
  symlink: /link to a place outside/,
};

describe('importBundle', () => {
  const folder = useTempFolder();
  let clone: SandboxClone;
  let mirror: Mirror;
  beforeEach(async () => {
    makeRepository(join(folder(), 'r'));
    clone = await makeSandboxClone(folder(), join(folder(), 'r'));
    mirror = clone.mirror;
  });

  /** As it comes over a network: in pieces of any size. */
  async function* pieces(bundle: Buffer, size = 1000): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bundle.length; at += size) {
      yield await Promise.resolve(bundle.subarray(at, at + size));
    }
  }

  const ref = 'refs/sandpiper/ses_1/turn/1';

  /** A bundle made by hand in the clone, as an attacker would. */
  function bundle(commit: string, options: { not?: string[]; name?: string } = {}): Buffer {
    const name = options.name ?? ref;
    runGit(clone.workspace, ['update-ref', name, commit]);
    const not = (options.not ?? [clone.base]).map(id => `^${id}`);
    runGit(clone.workspace, ['bundle', 'create', '-q', join(folder(), 'hand.bundle'), name, ...not]);
    return readFileSync(join(folder(), 'hand.bundle'));
  }

  function commitTree(entries: string, parents = [clone.base]): string {
    const tree = runGit(clone.workspace, ['mktree', '-z', '--missing'], { input: entries });
    return runGit(clone.workspace, ['commit-tree', tree, ...parents.flatMap(id => ['-p', id]), '-m', 'x']);
  }

  /** A bundle whose pack git makes from these lines. */
  function handmade(commit: string, lines: string[], options: string[] = []): Buffer {
    const pack = execFileSync('git', ['pack-objects', '--stdout', '-q', ...options], {
      cwd: clone.workspace,
      env: GIT_TEST_ENV,
      input: `${lines.join('\n')}\n`,
    });
    return Buffer.concat([Buffer.from(`# v2 git bundle\n-${clone.base} base\n${commit} ${ref}\n\n`), pack]);
  }

  const treeOf = (commit: string) => runGit(clone.workspace, ['rev-parse', `${commit}^{tree}`]);

  const blob = (content: string | Buffer) =>
    runGit(clone.workspace, ['hash-object', '-w', '--stdin'], { input: content });

  async function refuses(bytes: Buffer, commit: string, reason: RegExp, more: object = {}, limits = {}): Promise<void> {
    const before = folderContents(mirror.path);
    const expected = { ref, commit, parent: clone.base, ...more };
    await assert.rejects(importBundle(mirror, pieces(bytes), expected, limits), {
      code: 'import_refused',
      message: reason,
    });
    assert.deepEqual(folderContents(mirror.path), before);
  }

  const accepts = (bytes: Buffer, commit: string, more: object = {}) =>
    importBundle(mirror, pieces(bytes), { ref, commit, parent: clone.base, ...more });

  it('takes a checkpoint and then the next, and repeats harmlessly', async () => {
    let parent = clone.base;
    for (const turn of [1, 2, 3]) {
      const text = randomBytes(30_000).toString('hex');
      writeFiles(clone.workspace, { 'd/e': `${text}${turn}\n`, [`new ${turn}`]: text.slice(turn) });
      const { result } = clone.checkpoint(parent, { turn });
      assert.ok(result?.bundle);
      const expected = { ref: clone.ref(turn), commit: result.commit, parent };
      await importBundle(mirror, pieces(readFileSync(clone.bundle), 1), expected);
      const after = folderContents(mirror.path);
      await importBundle(mirror, pieces(readFileSync(clone.bundle)), expected);
      assert.deepEqual(folderContents(mirror.path), after);
      assert.equal(await readRef(mirror, clone.ref(turn)), result.commit);
      parent = result.commit;
    }
    runGit(mirror.path, ['fsck', '--full', '--strict']);
    assert.deepEqual(
      readdirSync(mirror.path).filter(name => name.startsWith('quarantine')),
      [],
    );
  });

  it('takes renames, copies, deletions, modes, links inside and what was there before', async () => {
    writeFiles(clone.workspace, { 'one/x': 'x'.repeat(5000), 'two/y': 'y', a: 'new\n' });
    const first = clone.checkpoint(clone.base).result;
    assert.ok(first);
    await accepts(readFileSync(clone.bundle), first.commit);
    writeFiles(clone.workspace, { 'three/x': 'x'.repeat(5000), 'one/x': `${'x'.repeat(5000)}.`, a: 'a\n', b: 'a\n' });
    rmSync(join(clone.workspace, 'two/y'));
    symlinkSync('../one', join(clone.workspace, 'three/in'));
    const second = clone.checkpoint(first.commit, { turn: 2 }).result;
    assert.ok(second);
    const expected = { ref: clone.ref(2), commit: second.commit, parent: first.commit };
    await importBundle(mirror, pieces(readFileSync(clone.bundle)), expected);
    runGit(mirror.path, ['fsck', '--full', '--strict']);
  });

  it('refuses each hostile bundle for what is wrong with it', async function () {
    this.timeout(120_000);
    assert.equal(clone.base, HOSTILE_BASE);
    const files = readdirSync(HOSTILE);
    assert.deepEqual(
      files,
      Object.keys(REASONS).map(name => `${name}.bundle`),
    );
    for (const [name, reason] of Object.entries(REASONS)) {
      const bytes = readFileSync(join(HOSTILE, `${name}.bundle`));
      const commit = bytes.toString('latin1').split('\n')[2]?.slice(0, 40) ?? '';
      await refuses(bytes, commit, reason, { ref: `refs/heads/${name}` });
    }
  });

  it('refuses a bundle that is cut anywhere, changed, or something else', async () => {
    const commit = commitTree(`100644 blob ${blob('b\n')}\tb\0`);
    const good = bundle(commit);
    for (const length of [0, 10, 100, good.indexOf('\n\n') + 5, good.length - 40, good.length - 1]) {
      await refuses(good.subarray(0, length), commit, /refused/);
    }
    for (const at of [good.length - 30, good.indexOf('PACK') + 14]) {
      const changed = Buffer.from(good);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      await refuses(changed, commit, /git says/);
    }
    await refuses(Buffer.from('# v3 git bundle\n@object-format=sha1\n\nPACK'.padEnd(200, '\0')), commit, /version 2/);
    await refuses(randomBytes(200_000), commit, /refused/);
    await refuses(Buffer.from(`# v2 git bundle\n${'-'.repeat(100_000)}`), commit, /too long/);
    const trailing = Buffer.concat([good, randomBytes(100)]);
    await accepts(trailing, commit);
  });

  it('refuses other refs, other commits and other prerequisites than expected', async () => {
    const commit = commitTree(`100644 blob ${blob('b\n')}\tb\0`);
    await refuses(bundle(commit, { name: 'refs/heads/other' }), commit, /other refs/);
    const good = bundle(commit).toString('latin1');
    const two = Buffer.from(good.replace('\n\n', `\n${commit} refs/heads/main\n\n`), 'latin1');
    await refuses(two, commit, /other refs/);
    const many = Array.from({ length: 100_000 }, (_, index) => `${commit} refs/x/${index}`).join('\n');
    await refuses(Buffer.from(good.replace('\n\n', `\n${many}\n\n`), 'latin1'), commit, /too long/);
    await refuses(Buffer.from(good, 'latin1'), clone.base, /not at/);
    const wrong = good.replace(`-${clone.base}`, `-${'1'.repeat(40)}`);
    await refuses(Buffer.from(wrong, 'latin1'), commit, /another commit/);
    const absent = Buffer.from(good.replaceAll(commit, '2'.repeat(40)), 'latin1');
    await refuses(absent, '2'.repeat(40), /its commit is not in it/);
  });

  it('refuses what does not build on the parent', async () => {
    const orphan = commitTree(`100644 blob ${blob('o\n')}\to\0`, []);
    await refuses(bundle(orphan, { not: [] }), orphan, /does not start from/);
    writeFiles(join(folder(), 'r'), { a: 'other session\n' });
    const other = commitAll(join(folder(), 'r'), 'other');
    runGit(mirror.path, ['fetch', '-q', join(folder(), 'r'), `${other}:refs/sandpiper/ses_2/turn/1`]);
    const merge = commitTree(`100644 blob ${blob('m\n')}\tm\0`, [clone.base, other]);
    const bytes = bundle(merge, { not: [clone.base, other] })
      .toString('latin1')
      .replace(`-${other} other\n`, '');
    await refuses(Buffer.from(bytes, 'latin1'), merge, /does not start from/);
  });

  it('refuses objects of other sessions, whether named in a tree or used for a delta', async () => {
    const secret = randomBytes(20_000).toString('hex');
    writeFiles(join(folder(), 'r'), { secret });
    const other = commitAll(join(folder(), 'r'), 'other');
    runGit(mirror.path, ['fetch', '-q', join(folder(), 'r'), `${other}:refs/sandpiper/ses_2/turn/1`]);
    const id = createHash('sha1').update(`blob ${secret.length}\0${secret}`).digest('hex');

    const named = commitTree(`100644 blob ${id}\tstolen\0`);
    const sent = [named, treeOf(named)];
    await refuses(handmade(named, sent), named, /not part of the session/);

    const own = blob('h\n');
    const hidden = commitTree(`100644 blob ${own}\th\0`, [named]);
    await refuses(handmade(hidden, [...sent, hidden, treeOf(hidden), own]), hidden, /not part of the session/);

    const tree = `100644 blob ${blob(`${secret}!`)}\tsecret\0`;
    const commit = commitTree(tree);
    const thin = handmade(
      commit,
      [commit, commitTree(tree, [other]), `^${other}`, `^${clone.base}`],
      ['--revs', '--thin'],
    );
    assert.ok(thin.length < 5000, 'it really is a delta against what was not sent');
    await refuses(thin, commit, /not part of the session/);
  });

  it('refuses new submodules, odd modes and names that some file system misreads', async () => {
    const file = blob('f\n');
    const cases: [entries: string, reason: RegExp][] = [
      [`160000 commit ${'1'.repeat(40)}\tmodule\0`, /new submodule/],
      [`120000 blob ${blob('../up')}\tlink\0`, /link to a place outside/],
      [`120000 blob ${blob('C:\\Windows')}\tlink\0`, /link to a place outside/],
      [`100644 blob ${file}\t.git\u200c\0`, /refused/],
      [`100644 blob ${file}\t.git::$INDEX_ALLOCATION\0`, /refused/],
      [`100644 blob ${file}\t.git . .\0`, /refused/],
    ];
    for (const [entries, reason] of cases) {
      const commit = commitTree(entries);
      await refuses(bundle(commit), commit, reason);
    }
  });

  it('holds the limits', async () => {
    const commit = commitTree(`100644 blob ${blob(randomBytes(50_000))}\tb\0`);
    const good = bundle(commit);
    await refuses(good, commit, /larger than/, {}, { maxPackBytes: 10_000 });
    await refuses(good, commit, /a file in it is larger/, {}, { maxBlobBytes: 10_000 });
    await refuses(good, commit, /3 objects, more than 2/, {}, { maxObjects: 2 });
  });

  it('moves a ref only from where it should be, and fails with the source', async () => {
    const commit = commitTree(`100644 blob ${blob('b\n')}\tb\0`);
    const good = bundle(commit);
    await updateRef(mirror, ref, clone.base);
    await assert.rejects(accepts(good, commit), { code: 'conflict' });
    assert.equal(await readRef(mirror, ref), clone.base);
    await accepts(good, commit, { oldValue: clone.base });
    assert.equal(await readRef(mirror, ref), commit);
    const another = bundle(commit, { name: `${ref}0` });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(another.subarray(0, another.length - 10));
      throw new Error('the network went');
    }
    const expected = { ref: `${ref}0`, commit, parent: clone.base };
    await assert.rejects(importBundle(mirror, broken(), expected), { message: 'the network went' });
    assert.deepEqual(
      readdirSync(mirror.path).filter(name => name.startsWith('quarantine')),
      [],
    );
  });
});
