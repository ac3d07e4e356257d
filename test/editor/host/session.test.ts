import assert from 'node:assert/strict';
import { FilePermission, type Tab, Uri, commands, window, workspace } from 'vscode';
import type { RelayClient } from '../../../client/relayClient.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { eventually } from '../../support/eventually.ts';
import { joinRelay } from '../../support/joinRelay.ts';

const TURN_TIMEOUT_MS = 25_000;
const FIXED = `sed -e 's/[^a-z0-9][^a-z0-9]*/-/g'`;
const SCRIPT = [
  { tool: 'Edit', input: { file_path: 'slug.sh', old_string: `sed 's/ /-/g'`, new_string: FIXED } },
  { tool: 'Bash', input: { command: 'mkdir docs && echo Slugs > docs/slugs.md && rm README.md' } },
  { text: 'Done.' },
];

/** What a tab holds of a diff of several files; its class is not public. */
function diffsOf(tab: Tab | undefined): { original: Uri | undefined; modified: Uri }[] {
  const input: unknown = tab?.input;
  if (typeof input !== 'object' || input === null || !('textDiffs' in input) || !Array.isArray(input.textDiffs)) {
    return [];
  }
  const diffs: unknown[] = input.textDiffs;
  return diffs.flatMap(diff => {
    const uri = (name: string): Uri | undefined => {
      const value: unknown = typeof diff === 'object' && diff !== null ? Reflect.get(diff, name) : undefined;
      return value instanceof Uri ? value : undefined;
    };
    const modified = uri('modified');
    return modified ? [{ original: uri('original'), modified }] : [];
  });
}

describe('a session, through the commands', () => {
  let client: RelayClient;
  let state: SessionState;
  let diffs: ReturnType<typeof diffsOf>;

  before(() => {
    client = joinRelay(process.env['SANDPIPER_TEST_DATA'] ?? '');
  });
  after(() => client.dispose());

  it('is started, and its turn ends with a change', async () => {
    await commands.executeCommand('sandpiper.newSession', { prompt: `Fix it @@${JSON.stringify(SCRIPT)}` });
    state = await eventually(async () => {
      const { sessions } = await client.call('session.list', {});
      assert.equal(sessions.length, 1);
      const found = await client.call('session.get', { sessionId: sessions[0]?.id ?? '' });
      assert.equal(found.turns[0]?.checkpoint?.changed, true, JSON.stringify(found.phase));
      return found;
    }, TURN_TIMEOUT_MS);
    assert.equal(state.isolation, 'process');
    assert.equal(state.repository.source, workspace.workspaceFolders?.[0]?.uri.fsPath);
  });

  it('opens in the chat, and the list has the focus when asked', async () => {
    await commands.executeCommand('sandpiper.openSession', state.id);
    await commands.executeCommand('sandpiper.sessions.focus');
  });

  it('opens its changes as one diff of the right files', async () => {
    await commands.executeCommand('sandpiper.openChanges', state.id);
    diffs = await eventually(() => {
      const tab = window.tabGroups.activeTabGroup.activeTab;
      assert.match(tab?.label ?? '', /\(3 files\)$/);
      return diffsOf(tab);
    });
    // VS Code leaves out what has no original, as the added docs/slugs.md.
    assert.deepEqual(diffs.map(({ modified }) => modified.path).toSorted(), ['/README.md', '/slug.sh']);
    await commands.executeCommand('sandpiper.openChanges', state.id);
    const tabs = window.tabGroups.all.flatMap(group => group.tabs).filter(tab => diffsOf(tab).length > 0);
    assert.equal(tabs.length, 1, 'the tab is replaced, not doubled');
  });

  it('gives both sides of a file, to read only', async () => {
    const slug = diffs.find(({ modified }) => modified.path === '/slug.sh');
    assert.ok(slug?.original);
    const text = async (uri: Uri) => Buffer.from(await workspace.fs.readFile(uri)).toString();
    assert.match(await text(slug.original), /sed 's\/ \/-\/g'/);
    assert.ok((await text(slug.modified)).includes(FIXED));
    const deleted = diffs.find(({ modified }) => modified.path === '/README.md');
    assert.ok(deleted);
    assert.equal(await text(deleted.modified), '');
    for (const uri of [slug.original, slug.modified]) {
      assert.equal((await workspace.fs.stat(uri)).permissions, FilePermission.Readonly);
      await assert.rejects(async () => workspace.fs.writeFile(uri, Buffer.from('mine')), /read-?only|permission/i);
      await assert.rejects(async () => workspace.fs.delete(uri), /permission|read-?only/i);
    }
    const foreign = Uri.from({ scheme: 'sandpiper', authority: slug.modified.authority, path: '/../../etc/passwd' });
    assert.equal(await text(foreign).catch(() => ''), '');
  });

  it('is accepted, and its diff closes', async () => {
    await commands.executeCommand('sandpiper.acceptAllChanges', state.id);
    await eventually(async () => {
      const { review } = await client.call('session.get', { sessionId: state.id });
      assert.equal(review.pending, 0);
      assert.equal(diffsOf(window.tabGroups.activeTabGroup.activeTab).length, 0);
    });
  });

  it('becomes a pull request', async () => {
    await commands.executeCommand('sandpiper.createPullRequest', state.id);
    const { pullRequest } = await eventually(async () => {
      const found = await client.call('session.get', { sessionId: state.id });
      assert.ok(found.pullRequest);
      return found;
    }, TURN_TIMEOUT_MS);
    assert.equal(pullRequest?.draft, true);
    assert.equal(pullRequest?.baseBranch, 'main');
  });
});
