import * as vscode from 'vscode';
import type { FileChange } from '../../../protocol/callParts.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { findChange, toChangeEntries } from './changeEntries.ts';
import { openFileDiff, openManyDiffs } from './openDiffs.ts';
import { blamedRange, lineOfTool } from './toolLines.ts';
import type { PendingChanges, PendingFile } from './pendingChanges.ts';
import type { ReviewDecisions } from './reviewDecisions.ts';
import { count, t } from '../../../protocol/text.ts';

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
      throw new SandpiperError('nothing_to_land', t('There are no changes to review.'));
    }
    this.#decisions.saw(sessionId, pending);
    const { entries, binaries } = toChangeEntries(sessionId, files, isDone ? 'base' : 'accepted');
    if (binaries.length > 0) {
      void vscode.window.showInformationMessage(
        t(
          '{0} cannot be shown as a diff: {1}{2}',
          count(binaries.length, 'binary file'),
          binaries.slice(0, 5).join(', '),
          binaries.length > 5 ? ', …' : '',
        ),
      );
    }
    if (entries.length > 0) {
      await openManyDiffs(sessionId, state.title, entries);
    }
  }

  /**
   * One file, as far as it is pending, else as the session changed it.
   * @param path may be the agent's absolute path
   * @param itemId the tool call to whose lines to go
   */
  async openFile(sessionId: string, path: string, itemId?: string): Promise<void> {
    const pending = await this.#pending.get(sessionId);
    const change = findChange(pending.files, path);
    if (change) {
      const line = await this.#lineOf(sessionId, change, itemId);
      await openFileDiff(sessionId, change, { line: line ?? change.hunks[0]?.newStart ?? 0 });
      return;
    }
    const decided = findChange(await this.#sinceBase(sessionId), path);
    if (!decided) {
      throw new SandpiperError('not_found', t('{0} has no change to review.', path), {
        hint: t('What the agent is writing now can be reviewed when its turn ends.'),
      });
    }
    const line = await this.#lineOf(sessionId, decided, itemId);
    await openFileDiff(sessionId, decided, { from: 'base', ...(line === undefined ? {} : { line }) });
  }

  /** Where the first line stands that a tool call wrote; says so when none is left. */
  async #lineOf(
    sessionId: string,
    { path, hunks = [] }: FileChange & { hunks?: PendingFile['hunks'] },
    itemId: string | undefined,
  ): Promise<number | undefined> {
    if (itemId === undefined) {
      return undefined;
    }
    const range = blamedRange(hunks);
    const lines = await this.#relay.call('review.blame', { sessionId, side: 'proposed', path, lines: range }).then(
      blamed => blamed.lines,
      (thrown: unknown) => {
        // A deleted or an empty file has no line.
        if (toSandpiperError(thrown).code === 'not_found') {
          return [];
        }
        throw thrown;
      },
    );
    const line = lineOfTool(lines, itemId);
    if (line === undefined) {
      vscode.window.setStatusBarMessage(
        t('Sandpiper: no line of this call is left in {0}; this is the file', path),
        8000,
      );
    }
    return line;
  }

  async #sinceBase(sessionId: string): Promise<FileChange[]> {
    return (await this.#relay.call('changes.list', { sessionId, from: 'base' })).files;
  }
}
