import * as vscode from 'vscode';
import type { CallResult, Side } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { SCHEME } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { count } from '../sessions/sessionGroups.ts';
import { findChange, originalsOf, toChangeEntries } from './changeEntries.ts';
import type { ChangeEntry } from './changeEntries.ts';
import { changesTabs } from './reviewTabs.ts';
import type { SandpiperFileSystem } from './sandpiperFileSystem.ts';
import type { UriParts } from './sessionUri.ts';

/** Shows what a session changed in the editor's own diff, and takes it. */
export class Review {
  readonly #relay: RelayLink;
  readonly #actions: SessionActions;
  readonly #files: SandpiperFileSystem;
  /** The checkpoint that the person last saw, by session: only that one may be accepted as a whole. */
  readonly #seen = new Map<string, string>();

  constructor(relay: RelayLink, actions: SessionActions, files: SandpiperFileSystem) {
    this.#relay = relay;
    this.#actions = actions;
    this.#files = files;
  }

  /**
   * All pending changes in one diff editor; when everything is accepted, what the session changed as a whole. A tab that
   * already shows this session's changes is replaced.
   * @throws `nothing_to_land` when the session changed nothing
   */
  async openChanges(sessionId: string): Promise<void> {
    const [state, pending] = await Promise.all([
      this.#actions.state(sessionId),
      this.#relay.call('changes.list', { sessionId }),
    ]);
    const from = pending.files.length > 0 ? 'accepted' : 'base';
    const changes = from === 'accepted' ? pending : await this.#changes(sessionId, 'base');
    this.#seen.set(sessionId, changes.toCommit);
    const { entries, binaries } = toChangeEntries(sessionId, changes, from);
    if (binaries.length > 0) {
      void vscode.window.showInformationMessage(
        `${count(binaries.length, 'binary file')} cannot be shown as a diff: ${binaries.slice(0, 5).join(', ')}${binaries.length > 5 ? ', …' : ''}`,
      );
    }
    if (entries.length > 0) {
      await closeTabsOf(sessionId);
      await vscode.commands.executeCommand('vscode.changes', `Sandpiper: ${state.title}`, toResources(entries));
    }
  }

  /** One file. `path` may be the agent's absolute path. */
  async openFile(sessionId: string, path: string): Promise<void> {
    const { changes, from } = await this.#changesOfFile(sessionId, path);
    const change = findChange(changes.files, path);
    if (!change) {
      throw new SandpiperError('not_found', `${path} has no change to review.`, {
        hint: 'What the agent is writing now can be reviewed when its turn ends.',
      });
    }
    const entry = toChangeEntries(sessionId, { ...changes, files: [change] }, from).entries[0];
    if (!entry) {
      throw new SandpiperError('too_large', `${change.path} is a binary file, which has no diff to show.`);
    }
    const modified = toUri(entry.modified);
    const title = `${change.path} (Sandpiper)`;
    await (entry.original === undefined
      ? vscode.commands.executeCommand('vscode.open', modified, { preview: true }, title)
      : vscode.commands.executeCommand('vscode.diff', toUri(entry.original), modified, title, { preview: true }));
  }

  /**
   * Takes everything that is pending, as the person saw it last.
   * @throws `stale` when another turn ended since
   */
  async acceptAll(sessionId: string): Promise<void> {
    const changes = await this.#changes(sessionId, 'accepted');
    const sensitive = changes.files.filter(change => change.sensitive !== undefined);
    const confirmed = sensitive.length === 0 ? [] : await askSensitive(sensitive);
    if (!confirmed) {
      return;
    }
    const expectedProposed = this.#seen.get(sessionId) ?? changes.toCommit;
    const { left } = await this.#relay.call('changes.acceptAll', { sessionId, expectedProposed, confirmed });
    this.#files.refresh(sessionId);
    if (left.length === 0) {
      // Its two sides are now the same: there is nothing left to see.
      await closeTabsOf(sessionId);
    }
    const accepted = count(changes.files.length - left.length, 'file');
    const rest = left.length === 0 ? '' : `; ${count(left.length, 'sensitive file')} left`;
    vscode.window.setStatusBarMessage(`Sandpiper: accepted ${accepted}${rest}`, 5000);
  }

  /** What is pending when the file is in it, else the session's change as a whole. */
  async #changesOfFile(sessionId: string, path: string): Promise<{ changes: CallResult<'changes.list'>; from: Side }> {
    const pending = await this.#relay.call('changes.list', { sessionId });
    return findChange(pending.files, path)
      ? { changes: pending, from: 'accepted' }
      : { changes: await this.#relay.call('changes.list', { sessionId, from: 'base' }), from: 'base' };
  }

  /** @throws `nothing_to_land` when there is nothing between that side and the agent's */
  async #changes(sessionId: string, from: Side): Promise<CallResult<'changes.list'>> {
    const changes = await this.#relay.call('changes.list', { sessionId, from });
    if (changes.files.length === 0) {
      throw new SandpiperError('nothing_to_land', 'There are no changes to review.');
    }
    return changes;
  }
}

function toUri(parts: UriParts): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, ...parts });
}

function toResources(entries: readonly ChangeEntry[]): [vscode.Uri, vscode.Uri | undefined, vscode.Uri][] {
  const originals = originalsOf(entries);
  return entries.map((entry, index) => {
    const modified = toUri(entry.modified);
    const original = originals[index];
    return [modified, original === undefined ? undefined : toUri(original), modified];
  });
}

/** The sensitive files that are accepted with the rest; undefined when nothing is to be accepted. */
async function askSensitive(files: CallResult<'changes.list'>['files']): Promise<string[] | undefined> {
  const others = 'Accept the Others';
  const all = 'Accept All the Same';
  const chosen = await vscode.window.showWarningMessage(
    `${count(files.length, 'file')} can run code on a developer's machine. Accept without a closer look?`,
    { modal: true, detail: files.map(file => `${file.path}: ${file.sensitive ?? ''}`).join('\n') },
    others,
    all,
  );
  if (chosen === undefined) {
    return undefined;
  }
  return chosen === all ? files.map(({ path }) => path) : [];
}

/** Each call of `vscode.changes` opens another tab, so the one before is closed. */
async function closeTabsOf(sessionId: string): Promise<void> {
  const tabs = changesTabs(sessionId);
  if (tabs.length > 0) {
    await vscode.window.tabGroups.close(tabs, true);
  }
}
