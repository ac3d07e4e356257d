import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileAt } from '../../../server/src/git/diff.ts';
import { SharedReader } from '../../../server/src/git/sharedReader.ts';
import { temporaryFolder } from '../../support/relayProcess.ts';

const MAX_BYTES = 1000;

describe('files of a commit through one process', () => {
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let commit: string;

  before(async () => {
    scratch = await temporaryFolder();
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', scratch.path, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args])
        .toString()
        .trim();
    git('init', '--quiet');
    await mkdir(join(scratch.path, 'src'));
    await writeFile(join(scratch.path, 'src/ünï.txt'), 'text\r\n');
    await writeFile(join(scratch.path, 'run.sh'), Buffer.from([0, 255, 10]), { mode: 0o755 });
    await writeFile(join(scratch.path, 'large.txt'), 'x'.repeat(MAX_BYTES + 1));
    await writeFile(join(scratch.path, 'empty.txt'), '');
    await symlink('run.sh', join(scratch.path, 'link'));
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    commit = git('rev-parse', 'HEAD');
  });
  after(() => scratch.remove());

  it('are what they are one by one, whatever is at the path, also all at once', async () => {
    const mirror = { path: join(scratch.path, '.git'), objects: join(scratch.path, '.git/objects') };
    const reader = new SharedReader(MAX_BYTES);
    const paths = ['src/ünï.txt', 'run.sh', 'large.txt', 'empty.txt', 'link', 'src', 'none', '../run.sh', 'src//a', ''];
    const found = await Promise.all([...paths, ...paths].map(path => reader.fileAt(mirror, commit, path)));
    const expected = await Promise.all([...paths, ...paths].map(path => readFileAt(mirror, commit, path, MAX_BYTES)));
    assert.deepEqual(found, expected);
    assert.equal(found[2]?.tooLarge, true);
    assert.equal(found[0]?.content.toString(), 'text\r\n');
  });
});
