import * as vscode from 'vscode';
import { SCHEME } from '../manifest.ts';
import { DisposableStore } from '../disposables.ts';
import type { UserErrors } from '../userErrors.ts';
import type { PendingChanges } from './pendingChanges.ts';
import type { Review } from './review.ts';
import type { ReviewNavigation } from './reviewNavigation.ts';
import { changesTabs, pathsOfTab, sessionOfTab } from './reviewTabs.ts';
import { count, t } from '../../../protocol/text.ts';

const SHOW = t('Show Them');

/**
 * The list of a diff of many files is fixed when it is opened. When a turn made others, the diff is opened anew, as soon as
 * it is looked at; where that would take a text that is being written, the person is asked.
 */
export class NewFiles implements vscode.Disposable {
  readonly #pending: PendingChanges;
  readonly #review: Review;
  readonly #navigation: ReviewNavigation;
  readonly #errors: UserErrors;
  readonly #disposables = new DisposableStore();
  readonly #busy = new Set<string>();

  constructor(pending: PendingChanges, review: Review, navigation: ReviewNavigation, errors: UserErrors) {
    this.#pending = pending;
    this.#review = review;
    this.#navigation = navigation;
    this.#errors = errors;
    this.#disposables.add(pending.onDidMove(({ sessionId }) => this.#check(sessionId)));
    this.#disposables.add(
      vscode.window.tabGroups.onDidChangeTabs(({ changed }) => {
        for (const tab of changed.filter(({ isActive }) => isActive)) {
          const sessionId = sessionOfTab(tab);
          if (sessionId !== undefined) {
            this.#check(sessionId);
          }
        }
      }),
    );
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #check(sessionId: string): void {
    if (this.#busy.has(sessionId) || this.#missing(sessionId).length === 0) {
      return;
    }
    this.#busy.add(sessionId);
    this.#show(sessionId)
      .catch((thrown: unknown) => {
        this.#errors.show(thrown, { tag: 'review', doing: 'show the new files of a turn', sessionId });
      })
      .finally(() => this.#busy.delete(sessionId));
  }

  /** Pending files that the diff which is looked at does not list. */
  #missing(sessionId: string): string[] {
    const tab = changesTabs(sessionId).find(({ isActive, group }) => isActive && group.isActive);
    const shown = tab && pathsOfTab(tab);
    const pending = this.#pending.peek(sessionId)?.files ?? [];
    return shown ? pending.filter(({ path, binary }) => !binary && !shown.has(path)).map(({ path }) => path) : [];
  }

  async #show(sessionId: string): Promise<void> {
    const missing = this.#missing(sessionId);
    if (isWriting(sessionId)) {
      const names = missing.slice(0, 3).join(', ');
      const chosen = await vscode.window.showInformationMessage(
        t(
          '{0} changed: {1}{2}. The open diff does not list them, because you are writing in it.',
          count(missing.length, 'more file'),
          names,
          missing.length > 3 ? ', …' : '',
        ),
        SHOW,
      );
      if (chosen !== SHOW) {
        return;
      }
    }
    const cursor = await this.#navigation.cursor();
    await this.#review.openChanges(sessionId);
    if (cursor?.sessionId === sessionId) {
      await this.#navigation.reveal(sessionId, cursor);
    }
  }
}

/** An unsaved text of the review, or a comment that is being written: closing its editor would lose it or ask about it. */
function isWriting(sessionId: string): boolean {
  return vscode.workspace.textDocuments.some(
    document =>
      (document.uri.scheme === 'comment' && document.getText() !== '') ||
      (document.isDirty && document.uri.scheme === SCHEME && document.uri.authority.startsWith(`${sessionId}.`)),
  );
}
