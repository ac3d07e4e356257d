import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { landedLine } from '../../../landing/landedLine.ts';
import { openUserFolder } from '../../../landing/userFolder.ts';
import { folderState } from '../git/folderState.ts';
import { commitAll, makeRepository, useTempFolder, writeFiles } from '../../support/tempRepository.ts';

const ID = 'ses_0123456789abcdefghjk';
const TRAILER = `Add a step\n\nSandpiper-Session: ${ID}\n`;

describe('a line of a landed file', function () {
  this.timeout(20_000);
  const folder = useTempFolder();

  const begin = (message: string) => {
    const root = join(folder(), 'user');
    makeRepository(root, { 'src/a.ts': 'one\ntwo\nthree\n' });
    writeFiles(root, { 'src/a.ts': 'one\nby the agent\ntwo\nthree\n' });
    const commit = commitAll(root, message);
    return { root, commit, user: () => openUserFolder(root, process.env) };
  };

  it('is found after later changes above it and a move of the file, and .git is only read', async () => {
    const { root, commit, user } = begin(TRAILER);
    writeFiles(root, { 'src/a.ts': 'mine\none\nby the agent\ntwo\nthree\n' });
    commitAll(root, 'mine');
    mkdirSync(join(root, 'lib'));
    renameSync(join(root, 'src/a.ts'), join(root, 'lib/b.ts'));
    commitAll(root, 'move');
    const text = Buffer.from('unsaved\nmine\none\nby the agent\ntwo\nthree\n');
    const before = folderState(join(root, '.git'));
    const found = await landedLine(await user(), 'lib/b.ts', 3, text);
    assert.deepEqual(found, {
      sessionId: ID,
      commit,
      subject: 'Add a step',
      path: 'src/a.ts',
      line: 1,
      lines: ['one', 'by the agent', 'two', 'three'],
    });
    for (const line of [0, 1, 2, 4]) {
      assert.equal(await landedLine(await user(), 'lib/b.ts', line, text), undefined, `line ${line}`);
    }
    assert.deepEqual(folderState(join(root, '.git')), before);
  });

  it('is found in a squashed commit and in one with the text of a pull request', async () => {
    for (const message of [
      `Squashed (#3)\n\n* Add a step\n\n  Sandpiper-Session: ${ID}\n\n* more`,
      `Merged\n\n## What was asked\n\n<!-- sandpiper:session=${ID} -->`,
    ]) {
      const { user, root } = begin(message);
      const text = Buffer.from('one\nby the agent\ntwo\nthree\n');
      assert.equal((await landedLine(await user(), 'src/a.ts', 1, text))?.sessionId, ID);
      assert.equal(await landedLine({ ...(await user()), root: join(root, 'src') }, 'a.ts', 0, text), undefined);
      renameSync(root, `${root}-${message.length}`);
    }
  });
});
