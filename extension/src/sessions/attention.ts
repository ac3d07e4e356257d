import * as vscode from 'vscode';
import { summaryText } from '../../../protocol/activity.ts';
import type { Approval, SessionSummary } from '../../../protocol/session.ts';
import { DisposableStore } from '../disposables.ts';
import { readSetting } from '../settings.ts';
import type { UserErrors } from '../userErrors.ts';
import { decideCall } from './attentionDecisions.ts';
import type { Call } from './attentionDecisions.ts';
import type { SessionActions } from './sessionActions.ts';
import { count } from './sessionGroups.ts';
import type { SessionStore } from './sessionStore.ts';

/** What the notifications need of the chat: which session a person is looking at. */
export interface Onlooker {
  visibleSessionId(): string | undefined;
  openedIds(): ReadonlySet<string>;
}

/** Calls the person when a session needs them and they are not looking at it. */
export class Attention implements vscode.Disposable {
  readonly #actions: SessionActions;
  readonly #onlooker: Onlooker;
  readonly #errors: UserErrors;
  readonly #disposables = new DisposableStore();
  /** Approvals that were already announced, so that a second one of the same session is told and the first is not again. */
  readonly #announced = new Set<string>();

  constructor(store: SessionStore, actions: SessionActions, onlooker: Onlooker, errors: UserErrors) {
    this.#actions = actions;
    this.#onlooker = onlooker;
    this.#errors = errors;
    this.#disposables.add(
      store.onDidChangeSession(({ before, after }) => {
        const call = decideCall(before, after, this.#situation());
        if (call !== undefined) {
          this.#call(call, after);
        }
      }),
    );
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #situation(): Parameters<typeof decideCall>[2] {
    return {
      visibleSessionId: this.#onlooker.visibleSessionId(),
      openedIds: this.#onlooker.openedIds(),
      folders: (vscode.workspace.workspaceFolders ?? []).map(folder => folder.uri.fsPath),
      enabled: {
        approval: readSetting('notifications.approvals'),
        turnFinished: readSetting('notifications.turnFinished'),
        failed: readSetting('notifications.failures'),
      },
    };
  }

  #call(call: Call, summary: SessionSummary): void {
    const calls: Record<Call, () => Promise<void>> = {
      approval: () => this.#askApprovals(summary),
      turnFinished: () => this.#tellFinished(summary),
      failed: () => this.#tellFailed(summary),
    };
    calls[call]().catch((thrown: unknown) => {
      this.#errors.show(thrown, { tag: 'sessions', doing: 'answer the notification', sessionId: summary.id });
    });
  }

  async #askApprovals(summary: SessionSummary): Promise<void> {
    const state = await this.#actions.state(summary.id);
    const fresh = state.approvals.filter(approval => !this.#announced.has(approval.id));
    for (const approval of fresh) {
      this.#announced.add(approval.id);
    }
    await Promise.all(fresh.map(approval => this.#askApproval(summary, approval)));
  }

  async #askApproval(summary: SessionSummary, approval: Approval): Promise<void> {
    const open = approval.kind === 'tool' ? 'Open' : 'Answer…';
    const buttons = approval.kind === 'tool' ? ['Allow', 'Deny', open] : [open];
    const text = `${summary.title}: ${approval.kind === 'questions' ? 'a question for you' : approval.title}`;
    const chosen = await vscode.window.showWarningMessage(text, ...buttons);
    if (chosen === 'Allow') {
      await this.#actions.answer(summary.id, approval.id, { kind: 'allow' });
    } else if (chosen === 'Deny') {
      await this.#actions.answer(summary.id, approval.id, { kind: 'deny' });
    } else if (chosen === open) {
      await this.#open(summary.id);
    }
  }

  async #tellFinished(summary: SessionSummary): Promise<void> {
    if (!summary.pending) {
      const seen = await vscode.window.showInformationMessage(`${summary.title}: the agent is done.`, 'Open');
      return seen === 'Open' ? this.#open(summary.id) : undefined;
    }
    const text = `${summary.title}: ${count(summary.stats.files, 'file')} to review.`;
    const chosen = await vscode.window.showInformationMessage(text, 'Open Changes', 'Open Session');
    if (chosen === 'Open Changes') {
      await vscode.commands.executeCommand('sandpiper.openChanges', summary.id);
    } else if (chosen === 'Open Session') {
      await this.#open(summary.id);
    }
  }

  async #tellFailed(summary: SessionSummary): Promise<void> {
    const chosen = await vscode.window.showErrorMessage(
      `${summary.title}: ${summaryText(summary, Date.now())}`,
      'Open Session',
      'Recover',
    );
    if (chosen === 'Recover') {
      await this.#actions.retry(summary.id);
    } else if (chosen === 'Open Session') {
      await this.#open(summary.id);
    }
  }

  async #open(sessionId: string): Promise<void> {
    await vscode.commands.executeCommand('sandpiper.openSession', sessionId);
  }
}
