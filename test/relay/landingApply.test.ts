import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, watch } from 'node:fs';
import { appendFile, chmod, copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { download } from '../../landing/download.ts';
import { Cli, type CliResult } from '../support/cliProcess.ts';
import { bash, idle } from '../support/landing.ts';
import { plainGit } from '../support/plainGit.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';
import { folderState } from '../unit/git/folderState.ts';

const CHANGE = [
  'printf "one\\ntwo\\n" > new.txt',
  'printf "\\000\\001\\377" > new.bin',
  'git mv README.md READ.md 2>/dev/null || mv README.md READ.md',
  'ln -s new.txt link',
  'chmod +x new.txt',
].join('; ');

describe('a session’s work in the user’s folder', function () {
  this.timeout(240_000);
  let shop: Workshop;
  let cli: Cli;
  let folders = 0;

  before(async () => {
    shop = await openWorkshop();
    cli = new Cli(shop.dataFolder);
  });
  after(async () => {
    await shop.dispose();
  });

  const begin = async (command = CHANGE, uncommitted = false): Promise<{ id: string; source: string }> => {
    const source = join(shop.folder, `folder-${++folders}`);
    await makeSample(source);
    if (uncommitted) {
      await writeFile(join(source, 'mine.txt'), 'uncommitted\n');
    }
    const id = await shop.begin(bash(command), { source, title: 'A change', includeUncommitted: uncommitted });
    await shop.until(id, 'one turn', idle(1));
    return { id, source };
  };
  const sandpiper = (source: string, ...args: string[]): Promise<CliResult> => cli.run(args, { cwd: source });
  /** Without a refresh of the index, which would be a change of .git by the test. */
  const status = async (source: string) =>
    (await plainGit(source, ['--no-optional-locks', 'status', '--porcelain'])).split('\n').toSorted();
  const treeIn = async (id: string): Promise<string> => {
    const { commit } = await shop.client.call('landing.bundle', { sessionId: id });
    const { repository } = await shop.client.call('session.get', { sessionId: id });
    const mirror = join(shop.dataFolder, 'mirrors', `${repository.id}.git`);
    return plainGit(mirror, ['rev-parse', `${commit}^{tree}`]);
  };
  /** The tree that the user's files would be committed as. */
  const treeOf = async (source: string): Promise<string> => {
    const index = { GIT_INDEX_FILE: join(shop.folder, 'index') };
    await plainGit(source, ['add', '-A', '.'], index);
    const tree = await plainGit(source, ['write-tree'], index);
    await rm(index.GIT_INDEX_FILE);
    return tree;
  };

  it('is applied and undone by the command line, to the byte, without a change of .git', async () => {
    const { id, source } = await begin();
    const before = folderState(join(source, '.git'));
    const checked = await sandpiper(source, 'apply', id, '--check');
    assert.equal(checked.code, 0, checked.stderr);
    assert.match(checked.stdout, /^added {4}new\.bin$/m);
    assert.deepEqual(await status(source), ['']);
    const applied = await sandpiper(source, 'apply', id);
    assert.equal(applied.code, 0, applied.stderr);
    assert.deepEqual(folderState(join(source, '.git')), before);
    assert.equal(await treeOf(source), await treeIn(id));
    assert.match((await sandpiper(source, 'apply', id)).stdout, /Your files have it all/);
    const undone = await sandpiper(source, 'unapply');
    assert.equal(undone.code, 0, undone.stderr);
    assert.deepEqual(await status(source), ['']);
    assert.equal((await sandpiper(source, 'unapply')).code, 1);
  });

  it('is only what was accepted when something was, also with uncommitted work below it', async () => {
    const { id, source } = await begin('echo a > a.txt; echo b > b.txt; echo more >> mine.txt', true);
    const { accepted, proposed } = await shop.client.call('review.list', { sessionId: id });
    const files = [{ path: 'a.txt' }, { path: 'mine.txt' }];
    await shop.client.call('review.decide', {
      sessionId: id,
      verdict: 'accept',
      files,
      expected: { accepted, proposed },
    });
    const { stderr, code } = await sandpiper(source, 'apply', id);
    assert.equal(code, 0);
    assert.match(stderr, /The accepted changes/);
    assert.deepEqual([existsSync(join(source, 'a.txt')), existsSync(join(source, 'b.txt'))], [true, false]);
    assert.equal(await readFile(join(source, 'mine.txt'), 'utf8'), 'uncommitted\nmore\n');
    await sandpiper(source, 'apply', id, '--from', 'all');
    assert.equal(await readFile(join(source, 'b.txt'), 'utf8'), 'b\n');
  });

  it('is merged with what the user did, and what cannot be is named and left alone', async () => {
    const { id, source } = await begin('echo agent >> README.md; echo new > clash.txt; echo fine > fine.txt');
    await writeFile(join(source, 'clash.txt'), 'mine\n');
    const readme = await readFile(join(source, 'README.md'), 'utf8');
    await writeFile(join(source, 'README.md'), `mine\n${readme}`);
    const { code, stdout } = await sandpiper(source, 'apply', id, '--json');
    assert.equal(code, 1);
    const answer: unknown = JSON.parse(stdout);
    assert.ok(
      typeof answer === 'object' && answer !== null && 'conflicts' in answer && Array.isArray(answer.conflicts),
    );
    assert.match(JSON.stringify(answer.conflicts), /"path":"clash\.txt","reason":"bothAdded"/);
    assert.equal(await readFile(join(source, 'clash.txt'), 'utf8'), 'mine\n');
    assert.equal(await readFile(join(source, 'README.md'), 'utf8'), `mine\n${readme}agent\n`);
    await appendFile(join(source, 'fine.txt'), 'changed since\n');
    const refused = await sandpiper(source, 'unapply');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /fine\.txt[^]*--others/);
    assert.equal((await sandpiper(source, 'unapply', '--others')).code, 0);
    assert.equal(await readFile(join(source, 'README.md'), 'utf8'), `mine\n${readme}`);
  });

  it('leaves out what can run code here, until somebody accepts it or asks for it', async () => {
    const { id, source } = await begin('mkdir -p .vscode; echo "{}" > .vscode/tasks.json; echo a > a.txt');
    const { stdout, code } = await sandpiper(source, 'apply', id);
    assert.equal(code, 0);
    assert.match(stdout, /left out \.vscode\/tasks\.json/);
    assert.deepEqual([existsSync(join(source, 'a.txt')), existsSync(join(source, '.vscode'))], [true, false]);
    const refused = await sandpiper(source, 'checkout', id, '--branch', 'theirs');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\.vscode\/tasks\.json[^]*--with-sensitive/);
    const { proposed } = await shop.client.call('review.list', { sessionId: id });
    const confirmed = ['.vscode/tasks.json'];
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed, confirmed });
    assert.equal((await sandpiper(source, 'apply', id)).code, 0);
    assert.ok(existsSync(join(source, '.vscode/tasks.json')));
  });

  it('can be undone or finished after the command was killed in the middle', async () => {
    const count = 400;
    for (const [how, expected] of [
      [['unapply'], 0],
      [['unapply', '--finish'], count],
    ] as const) {
      const { id, source } = await begin(
        `mkdir new; for i in $(seq ${count}); do echo $i > new/$i.txt; done; echo changed > slug.sh`,
      );
      const made = async () =>
        (await readdir(join(source, 'new')).catch(() => [])).filter(name => /^\d+\.txt$/.test(name));
      const begun = appears(source, 'new');
      const running = cli.start(['apply', id], { cwd: source });
      const gone = running.result;
      // The folder comes with the first of the new files.
      await Promise.race([begun, gone]);
      running.kill('SIGKILL');
      await gone;
      const after = await sandpiper(source, ...how);
      assert.equal(after.code, 0, after.stderr);
      assert.equal((await made()).length, expected);
      const dirty = (await status(source)).filter(line => line !== '');
      assert.deepEqual(dirty, expected === 0 ? [] : ['?? new/', 'M slug.sh'], 'nothing half done is left');
      if (expected > 0) {
        assert.equal(await treeOf(source), await treeIn(id));
      }
    }
  });

  it('leaves the folder as it was when there is no room', async () => {
    const { id, source } = await begin('head -c 3000000 /dev/urandom > large.bin; echo a > a.txt');
    const before = await applies();
    // A limit of the size of a file stands for a full disk.
    const limited = (command: readonly string[]): string[] => [
      'sh',
      '-c',
      'ulimit -f 4000; exec "$@"',
      'sh',
      ...command,
    ];
    const { code, stderr } = await cli.run(['apply', id], { cwd: source, wrap: limited });
    assert.equal(code, 1);
    assert.match(stderr, /room|too large|File size limit|git checkout-index failed/i);
    assert.deepEqual(await status(source), ['']);
    assert.deepEqual(await applies(), before);
    assert.equal((await sandpiper(source, 'apply', id)).code, 0);
  });

  const applies = () => readdir(join(shop.dataFolder, 'applies'));

  it('can be fetched as a branch, which moves only forward', async () => {
    const { id, source } = await begin();
    const main = await plainGit(source, ['rev-parse', 'main']);
    await appendFile(join(source, 'README.md'), 'uncommitted\n');
    const refused = await sandpiper(source, 'checkout', id, '--branch', 'theirs');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /uncommitted changes of README\.md/);
    assert.equal(await plainGit(source, ['branch', '--list', 'theirs']), '', 'nothing was made');
    const inTheWay = await sandpiper(source, 'checkout', id, '--branch', 'theirs', '--carry');
    assert.equal(inTheWay.code, 1);
    assert.match(inTheWay.stderr, /README\.md/);
    assert.match(await readFile(join(source, 'README.md'), 'utf8'), /uncommitted/);
    assert.equal((await sandpiper(source, 'checkout', id, '--branch', 'theirs', '--no-switch')).code, 0);
    assert.equal(await plainGit(source, ['rev-parse', 'theirs^{tree}']), await treeIn(id));
    assert.equal(await plainGit(source, ['rev-parse', 'theirs^']), main);
    await plainGit(source, ['checkout', '-q', '--', '.']);
    assert.equal((await sandpiper(source, 'checkout', id, '--branch', 'theirs')).code, 0);
    assert.equal(await plainGit(source, ['symbolic-ref', '--short', 'HEAD']), 'theirs');
    assert.deepEqual(await status(source), ['']);
    await plainGit(source, ['commit', '-q', '--allow-empty', '-m', 'mine']);
    const other = await sandpiper(source, 'checkout', id, '--branch', 'theirs');
    assert.equal(other.code, 1);
    assert.match(other.stderr, /exists and has other commits/);
  });

  it('is a patch that makes the same files, binary ones and links too', async () => {
    const { id, source } = await begin();
    const { stdout, code } = await sandpiper(source, 'patch', id);
    assert.equal(code, 0);
    const clone = join(shop.folder, `patched-${folders}`);
    await plainGit(shop.folder, ['clone', '-q', source, clone]);
    await writeFile(join(shop.folder, 'the.patch'), stdout);
    await plainGit(clone, ['apply', '--index', join(shop.folder, 'the.patch')]);
    assert.equal(await plainGit(clone, ['write-tree']), await treeIn(id));
  });

  it('is refused for the folder of another repository', async () => {
    const { id } = await begin();
    const other = join(shop.folder, `other-${folders}`);
    await mkdir(other);
    await plainGit(other, ['init', '-q']);
    const { code, stderr } = await sandpiper(other, 'apply', id);
    assert.equal(code, 1);
    assert.match(stderr, /has not the commit/);
    const nowhere = await sandpiper(shop.folder, 'apply', id);
    assert.match(nowhere.stderr, /no checked-out files/);
  });

  it('comes in parts, and goes on where it was cut off', async () => {
    const { id } = await begin('head -c 2500000 /dev/urandom > large.bin');
    const exported = await shop.client.call('landing.bundle', { sessionId: id });
    const path = join(shop.folder, 'cut.bundle');
    const offsets: number[] = [];
    const read = async (offset: number, maxBytes: number): Promise<Buffer> => {
      offsets.push(offset);
      const { content } = await shop.client.call('landing.read', { sessionId: id, id: exported.id, offset, maxBytes });
      return Buffer.from(content, 'base64');
    };
    await assert.rejects(
      download(path, exported, (offset, maxBytes) =>
        offset === 0 ? read(offset, maxBytes) : Promise.reject(new Error('cut')),
      ),
      /cut/,
    );
    await download(path, exported, read);
    assert.deepEqual(offsets, [0, 1_000_000, 2_000_000]);
    assert.equal(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
      exported.sha256,
    );
    await assert.rejects(
      read(0, 10).then(() => shop.client.call('landing.read', { sessionId: id, id: '../HEAD' })),
      {
        code: 'not_found',
      },
    );
    await chmod(path, 0o600);
    await copyFile(path, `${path}.part`);
    await appendFile(`${path}.part`, 'too long');
    await download(path, exported, read);
  });
});

/** Resolves when a name appears in a folder. */
function appears(folder: string, name: string): Promise<void> {
  return new Promise(resolve => {
    const watcher = watch(folder, (_event, changed) => {
      if (changed === name) {
        watcher.close();
        resolve();
      }
    });
  });
}
