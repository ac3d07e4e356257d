import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { summaryText } from '../../../protocol/activity.ts';
import { exactText, riskOfApproval } from '../../../protocol/asking.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { Approval, SessionSummary } from '../../../protocol/session.ts';
import { DisposableStore } from '../disposables.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { readSetting } from '../settings.ts';
import type { UserErrors } from '../userErrors.ts';
import { decideNews, decideTurn, eventOfApproval, stillHolds } from './attentionDecisions.ts';
import type { AttentionSituation, Call } from './attentionDecisions.ts';
import type { SessionActions } from './sessionActions.ts';
import type { SessionChange, SessionStore } from './sessionStore.ts';
import { count, t, told } from '../../../protocol/text.ts';

/** What the notifications need of the chat: which sessions a person is looking at. */
export interface Onlooker {
  isVisible(sessionId: string): boolean;
  openedIds(): ReadonlySet<string>;
}

interface Dependencies {
  relay: RelayLink;
  store: SessionStore;
  actions: SessionActions;
  onlooker: Onlooker;
  errors: UserErrors;
}

/** What fits into a notification, which breaks no lines. */
const MAX_TEXT = 300;

/**
 * Calls the person when a session needs them and they are not looking at it. All windows of the person hear of an event; the
 * relay lets one of them tell it.
 */
export class Attention implements vscode.Disposable {
  readonly #deps: Dependencies;
  readonly #disposables = new DisposableStore();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** This window, for the relay. */
  readonly #claimant = randomUUID();
  /** What this window has told, for a relay that forgot it when it was started again. */
  readonly #told = new Set<string>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#disposables.add(deps.store.onDidChangeSession(change => this.#onChange(change)));
    this.#disposables.add({ dispose: () => this.#timers.forEach(timer => clearTimeout(timer)) });
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  #onChange({ before, after }: SessionChange): void {
    const news = decideNews(before, after);
    if (!news) {
      return;
    }
    const turn = decideTurn(news.call, after, this.#situation(after.id));
    if (turn.kind === 'none') {
      return;
    }
    const act = async (): Promise<void> => {
      const summary = this.#deps.store.get(after.id);
      if (summary && stillHolds(news.call, summary)) {
        await this.#call(news.call, news.event, summary, turn.kind === 'call');
      }
    };
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        act().catch((thrown: unknown) =>
          this.#deps.errors.show(thrown, { tag: 'sessions', doing: 'answer the notification', sessionId: after.id }),
        );
      },
      turn.kind === 'call' ? turn.afterMs : 0,
    );
    this.#timers.add(timer);
  }

  #situation(sessionId: string): AttentionSituation {
    return {
      visibleSessionId: this.#deps.onlooker.isVisible(sessionId) ? sessionId : undefined,
      openedIds: this.#deps.onlooker.openedIds(),
      folders: (vscode.workspace.workspaceFolders ?? []).map(folder => folder.uri.fsPath),
      focused: vscode.window.state.focused,
      enabled: {
        approval: readSetting('notifications.approvals'),
        turnFinished: readSetting('notifications.turnFinished'),
        failed: readSetting('notifications.failures'),
      },
    };
  }

  /** @param tells false: the person sees it already, so that no window is to tell it */
  async #call(call: Call, event: string, summary: SessionSummary, tells: boolean): Promise<void> {
    if (call === 'approval') {
      const { approvals } = await this.#deps.actions.state(summary.id);
      await Promise.all(
        approvals.map(async approval => {
          const isMine = await this.#claim(eventOfApproval(summary.id, approval.id));
          await (isMine && tells ? this.#askApproval(summary, approval) : undefined);
        }),
      );
      return;
    }
    if ((await this.#claim(event)) && tells) {
      await (call === 'failed' ? this.#tellFailed(summary) : this.#tellFinished(summary));
    }
  }

  /** Whether this window is the one that tells it, for the first time. A relay that is away lets nobody. */
  async #claim(event: string): Promise<boolean> {
    if (this.#told.has(event)) {
      return false;
    }
    this.#told.add(event);
    const { granted } = await this.#deps.relay
      .call('attention.claim', { event, claimant: this.#claimant })
      // An older relay cannot tell windows apart: better twice than not at all.
      .catch((thrown: unknown) => ({ granted: toSandpiperError(thrown).code === 'unknown_call' }));
    return granted;
  }

  async #askApproval(summary: SessionSummary, approval: Approval): Promise<void> {
    const exact = approval.kind === 'tool' ? exactText(approval) : approval.title;
    // What a notification would cut or join into one line is read before it is allowed.
    const isWhole = approval.kind === 'tool' && approval.name === 'Bash' && isOneLine(exact);
    const note = riskOfApproval(approval);
    const risk = note ? ` ${t('({0} risk: {1})', told(note.risk), told(note.why))}` : '';
    const what =
      approval.kind === 'questions' ? t('a question for you') : `${approval.name}: ${exact.slice(0, MAX_TEXT)}`;
    const open = approval.kind === 'questions' ? t('Answer…') : t('Review…');
    // The first button is the one that stands out: it decides nothing.
    const buttons = [open, ...(isWhole ? [t('Allow')] : []), ...(approval.kind === 'questions' ? [] : [t('Deny')])];
    const chosen = await vscode.window.showWarningMessage(`${summary.title}${risk}: ${what}`, ...buttons);
    const target = { sessionId: summary.id, ask: { id: approval.id, kind: approval.kind, whole: isWhole } };
    if (chosen === t('Allow')) {
      await vscode.commands.executeCommand('sandpiper.allowApproval', target);
    } else if (chosen === t('Deny')) {
      await vscode.commands.executeCommand('sandpiper.denyApproval', target);
    } else if (chosen === open) {
      await vscode.commands.executeCommand('sandpiper.answerApproval', target);
    }
  }

  async #tellFinished(summary: SessionSummary): Promise<void> {
    if (!summary.pending) {
      const seen = await vscode.window.showInformationMessage(t('{0}: the agent is done.', summary.title), t('Open'));
      return seen === t('Open') ? this.#open(summary.id) : undefined;
    }
    const text = t('{0}: {1} to review.', summary.title, count(summary.stats.files, 'file'));
    const chosen = await vscode.window.showInformationMessage(text, t('Open Changes'), t('Open Session'));
    if (chosen === t('Open Changes')) {
      await vscode.commands.executeCommand('sandpiper.openChanges', summary.id);
    } else if (chosen === t('Open Session')) {
      await this.#open(summary.id);
    }
  }

  async #tellFailed(summary: SessionSummary): Promise<void> {
    const chosen = await vscode.window.showErrorMessage(
      `${summary.title}: ${summaryText(summary, Date.now())}`,
      t('Open Session'),
      t('Recover'),
    );
    if (chosen === t('Recover')) {
      await this.#deps.actions.retry(summary.id);
    } else if (chosen === t('Open Session')) {
      await this.#open(summary.id);
    }
  }

  async #open(sessionId: string): Promise<void> {
    await vscode.commands.executeCommand('sandpiper.openSession', sessionId);
  }
}

function isOneLine(text: string): boolean {
  return text.length <= MAX_TEXT && !/[\n\r]/.test(text);
}
