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
    const paths = diffs.map(({ modified }) => modified.path).toSorted();
    assert.deepEqual(paths, ['/README.md', '/docs/slugs.md', '/slug.sh']);
    await commands.executeCommand('sandpiper.openChanges', state.id);
    const tabs = window.tabGroups.all.flatMap(group => group.tabs).filter(tab => diffsOf(tab).length > 0);
    assert.equal(tabs.length, 1, 'the tab is replaced, not doubled');
  });

  it('gives both sides of a file, the accepted one to read only', async () => {
    const slug = diffs.find(({ modified }) => modified.path === '/slug.sh');
    assert.ok(slug?.original);
    const { original } = slug;
    const text = async (uri: Uri) => Buffer.from(await workspace.fs.readFile(uri)).toString();
    assert.match(await text(original), /sed 's\/ \/-\/g'/);
    assert.ok((await text(slug.modified)).includes(FIXED));
    const deleted = diffs.find(({ modified }) => modified.path === '/README.md');
    assert.ok(deleted);
    assert.equal(await text(deleted.modified), '');
    assert.equal((await workspace.fs.stat(original)).permissions, FilePermission.Readonly);
    assert.notEqual((await workspace.fs.stat(slug.modified)).permissions, FilePermission.Readonly);
    await assert.rejects(async () => workspace.fs.writeFile(original, Buffer.from('mine')), /read-?only|permission/i);
    for (const uri of [original, slug.modified]) {
      await assert.rejects(async () => workspace.fs.delete(uri), /permission|read-?only/i);
    }
    const foreign = Uri.from({ scheme: 'sandpiper', authority: slug.modified.authority, path: '/../../etc/passwd' });
    assert.equal(await text(foreign).catch(() => ''), '');
  });

  it('takes what is written to the proposed side as an edit of the review, and nothing that is there already', async () => {
    const uri = diffs.find(({ modified }) => modified.path === '/slug.sh')?.modified;
    const gone = diffs.find(({ modified }) => modified.path === '/README.md')?.modified;
    assert.ok(uri && gone);
    const before = await workspace.fs.readFile(uri);
    const { seq } = await client.call('session.get', { sessionId: state.id });
    await workspace.fs.writeFile(uri, before);
    await workspace.fs.writeFile(gone, new Uint8Array());
    assert.equal((await client.call('session.get', { sessionId: state.id })).seq, seq);
    // Bytes that no editor would make are kept as they are.
    const bytes = Buffer.from('\ufeff#!/bin/sh\r\nécho \x01 no newline');
    await workspace.fs.writeFile(uri, bytes);
    const edited = await client.call('changes.file', { sessionId: state.id, side: 'proposed', path: 'slug.sh' });
    assert.equal(Buffer.compare(Buffer.from(edited.content, edited.encoding), bytes), 0);
    await client.call('review.undo', { sessionId: state.id });
    await eventually(async () => assert.equal(Buffer.compare(await workspace.fs.readFile(uri), before), 0));
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
