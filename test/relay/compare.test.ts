import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { plainGit } from '../support/plainGit.ts';
import { rejects } from '../support/rejects.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const bash = (command: string) => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];

describe('the trees of a session', function () {
  this.timeout(60_000);
  let shop: Workshop;
  let id = '';
  before(async () => {
    shop = await openWorkshop();
    id = await shop.begin(bash('mkdir -p a/b; echo one > a/b/file.txt'));
    await shop.until(id, 'one turn', idle(1));
    await shop.send(id, bash('echo two > a/b/file.txt; ln -s file.txt a/b/link; rm README.md'));
    await shop.until(id, 'two turns', idle(2));
  });
  after(async () => {
    await shop.dispose();
  });

  const changed = async (from: string, to: string, toSessionId?: string) => {
    const { files } = await shop.client.call('changes.list', {
      sessionId: id,
      from,
      to,
      ...(toSessionId === undefined ? {} : { toSessionId }),
    });
    return files.map(({ path, status }) => `${status} ${path}`).sort();
  };

  it('are compared with each other by turn', async () => {
    assert.deepEqual(await changed('turn:0', 'turn:1'), ['added a/b/file.txt']);
    assert.deepEqual(await changed('turn:1', 'turn:2'), [
      'added a/b/link',
      'deleted README.md',
      'modified a/b/file.txt',
    ]);
    assert.deepEqual(await changed('turn:2', 'proposed'), []);
    const { diff } = await shop.client.call('changes.diff', { sessionId: id, from: 'turn:2', to: 'turn:1' });
    assert.match(diff, /-two\n\+one/);
  });

  it('are listed and read as they were, also when the session has moved on', async () => {
    const folder = (tree: string, path: string) => shop.client.call('changes.folder', { sessionId: id, tree, path });
    const root = await folder('turn:1', '');
    assert.deepEqual(
      root.entries.map(({ name, kind }) => [name, kind]),
      [
        ['README.md', 'file'],
        ['a', 'folder'],
        ['slug.sh', 'file'],
        ['test.sh', 'file'],
      ],
    );
    assert.deepEqual((await folder('turn:2', 'a/b')).entries, [
      { name: 'file.txt', kind: 'file', bytes: 4 },
      { name: 'link', kind: 'link', bytes: 8 },
    ]);
    assert.equal((await folder('turn:1', 'a/none')).exists, false);
    assert.equal((await folder('turn:1', '../a')).exists, false);
    const side = `commit:${root.commit}`;
    const file = await shop.client.call('changes.file', { sessionId: id, side, path: 'a/b/file.txt' });
    assert.equal(file.content, 'one\n');
  });

  it('are compared with a branch as it is now, and with another session of the repository', async () => {
    await plainGit(shop.repository, ['branch', 'feature/x']);
    assert.deepEqual(await changed('base', 'branch:feature/x'), []);
    await plainGit(shop.repository, ['checkout', '--quiet', 'feature/x']);
    await plainGit(shop.repository, ['rm', '--quiet', 'test.sh']);
    await plainGit(shop.repository, ['commit', '--quiet', '--message', 'No test']);
    await plainGit(shop.repository, ['checkout', '--quiet', 'main']);
    assert.deepEqual(await changed('base', 'branch:feature/x'), ['deleted test.sh']);
    const other = await shop.begin(bash('echo other > other.txt'));
    await shop.until(other, 'the other turn', idle(1));
    assert.deepEqual(await changed('turn:1', 'turn:1', other), ['added other.txt', 'deleted a/b/file.txt']);
  });

  it('refuse what they are not', async () => {
    const from = (tree: string) => changed(tree, 'proposed');
    await rejects(from('turn:7'), 'not_found');
    await rejects(from(`commit:${'f'.repeat(40)}`), 'not_found');
    await rejects(from('branch:none'), 'invalid_params');
    await rejects(from('branch:--upload-pack=x'), 'invalid_params');
    await rejects(from('HEAD'), 'invalid_params');
  });
});
