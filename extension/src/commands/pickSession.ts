import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import { idPattern } from '../../../protocol/ids.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { groupSessions } from '../../../protocol/sessionGroup.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import { sessionOfTab } from '../review/reviewTabs.ts';
import { describeSession } from '../sessions/sessionGroups.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import { t, told } from '../../../protocol/text.ts';

const SESSION = idPattern('ses');

/** What a command needs a session for: the question, which ones fit, and what to say when none does. */
export interface SessionQuestion {
  placeHolder: string;
  fits(summary: SessionSummary): boolean;
  none: string;
  /** False asks although a fitting session is being looked at. */
  takeVisible?: boolean;
}

/** Finds the session that a command is about. */
export class PickSession {
  readonly #relay: RelayConnection;
  readonly #store: SessionStore;
  readonly #chat: ChatView;

  constructor(relay: RelayConnection, store: SessionStore, chat: ChatView) {
    this.#relay = relay;
    this.#store = store;
    this.#chat = chat;
  }

  /**
   * The session that `argument` names (an id, a row of the tree), else the one that the person looks at, else their choice.
   * @returns undefined when they chose none
   * @throws `not_found` when no session fits
   */
  async pick(argument: unknown, question: SessionQuestion): Promise<string | undefined> {
    const named = sessionIdOf(argument);
    if (named !== undefined) {
      return named;
    }
    await this.load();
    const fitting = this.#store.summaries.filter(summary => question.fits(summary));
    const looked = question.takeVisible === false ? undefined : this.#lookedAt();
    if (looked !== undefined && fitting.some(summary => summary.id === looked)) {
      return looked;
    }
    if (fitting.length === 0) {
      throw new SandpiperError('not_found', question.none, { hint: t('Start one with "Sandpiper: New Session".') });
    }
    const chosen = await vscode.window.showQuickPick(toItems(fitting), {
      title: 'Sandpiper',
      placeHolder: question.placeHolder,
      matchOnDescription: true,
    });
    return chosen?.sessionId;
  }

  /** The list, once there is one. */
  async load(): Promise<void> {
    await this.#relay.whenConnected();
    if (!this.#store.loaded) {
      await this.#store.refresh();
    }
  }

  /** The session whose diff is active, or whose chat is visible. */
  #lookedAt(): string | undefined {
    return sessionOfTab(vscode.window.tabGroups.activeTabGroup.activeTab) ?? this.#chat.visibleSessionId();
  }
}

/** An id from what a menu, a keybinding or a row of the tree passes. */
function sessionIdOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') {
    return SESSION.test(argument) ? argument : undefined;
  }
  if (typeof argument !== 'object' || argument === null) {
    return undefined;
  }
  if ('sessionId' in argument) {
    return sessionIdOf(argument.sessionId);
  }
  if (!('summary' in argument)) {
    return undefined;
  }
  const { summary } = argument;
  return typeof summary === 'object' && summary !== null && 'id' in summary ? sessionIdOf(summary.id) : undefined;
}

type Row = vscode.QuickPickItem & { sessionId?: string };

function toItems(summaries: SessionSummary[]): Row[] {
  return groupSessions(summaries).flatMap(group => [
    { label: told(group.label), kind: vscode.QuickPickItemKind.Separator },
    ...group.sessions.map(summary => ({
      label: summary.title,
      description: describeSession(summary, Date.now()),
      sessionId: summary.id,
    })),
  ]);
}
