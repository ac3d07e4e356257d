import * as vscode from 'vscode';
import type { FileChange } from '../../../protocol/callParts.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { count } from '../sessions/sessionGroups.ts';
import { findChange, toChangeEntries } from './changeEntries.ts';
import { openFileDiff, openManyDiffs } from './openDiffs.ts';
import type { PendingChanges } from './pendingChanges.ts';
import type { ReviewDecisions } from './reviewDecisions.ts';

/** Shows what a session changed in the editor's own diff. */
export class Review {
  readonly #relay: RelayLink;
  readonly #actions: SessionActions;
  readonly #pending: PendingChanges;
  readonly #decisions: ReviewDecisions;

  constructor(relay: RelayLink, actions: SessionActions, pending: PendingChanges, decisions: ReviewDecisions) {
    this.#relay = relay;
    this.#actions = actions;
    this.#pending = pending;
    this.#decisions = decisions;
  }

  /**
   * All pending changes in one diff editor; when everything is accepted, what the session changed as a whole.
   * @throws `nothing_to_land` when the session changed nothing
   */
  async openChanges(sessionId: string): Promise<void> {
    const [state, pending] = await Promise.all([this.#actions.state(sessionId), this.#pending.refresh(sessionId)]);
    const isDone = pending.files.length === 0;
    const files = isDone ? await this.#sinceBase(sessionId) : pending.files;
    if (files.length === 0) {
      throw new SandpiperError('nothing_to_land', 'There are no changes to review.');
    }
    this.#decisions.saw(sessionId, pending);
    const { entries, binaries } = toChangeEntries(sessionId, files, isDone ? 'base' : 'accepted');
    if (binaries.length > 0) {
      void vscode.window.showInformationMessage(
        `${count(binaries.length, 'binary file')} cannot be shown as a diff: ${binaries.slice(0, 5).join(', ')}${binaries.length > 5 ? ', …' : ''}`,
      );
    }
    if (entries.length > 0) {
      await openManyDiffs(sessionId, state.title, entries);
    }
  }

  /** One file, as far as it is pending, else as the session changed it. `path` may be the agent's absolute path. */
  async openFile(sessionId: string, path: string): Promise<void> {
    const pending = await this.#pending.get(sessionId);
    const change = findChange(pending.files, path);
    if (change) {
      await openFileDiff(sessionId, change, { line: change.hunks[0]?.newStart ?? 0 });
      return;
    }
    const decided = findChange(await this.#sinceBase(sessionId), path);
    if (!decided) {
      throw new SandpiperError('not_found', `${path} has no change to review.`, {
        hint: 'What the agent is writing now can be reviewed when its turn ends.',
      });
    }
    await openFileDiff(sessionId, decided, { from: 'base' });
  }

  async #sinceBase(sessionId: string): Promise<FileChange[]> {
    return (await this.#relay.call('changes.list', { sessionId, from: 'base' })).files;
  }
}
