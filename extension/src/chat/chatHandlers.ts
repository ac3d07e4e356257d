import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { RequestHandlers } from '../../../protocol/webviewApi.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import type { PullRequests } from '../commands/pullRequests.ts';
import type { PlanDocuments } from '../comments/planDocuments.ts';
import type { LandingActions } from '../landing/landingActions.ts';
import type { ModelKey } from '../relay/modelKey.ts';
import type { Outbox } from '../relay/outbox.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { RelayLog } from '../relay/relayLog.ts';
import type { Review } from '../review/review.ts';
import type { ReviewDecisions } from '../review/reviewDecisions.ts';
import type { NewSession } from '../sessions/newSession.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { WorkspaceFolder } from '../workspaceFolder.ts';
import { composingRequests } from './composingRequests.ts';
import type { ChatPlace } from './chatPage.ts';
import { externalUrl } from './externalUrl.ts';
import { t } from '../../../protocol/text.ts';

export interface ChatHandlerDependencies {
  view: ChatPlace;
  actions: SessionActions;
  checkpoints: Checkpoints;
  newSession: NewSession;
  folder: WorkspaceFolder;
  review: Review;
  decisions: ReviewDecisions;
  pullRequests: PullRequests;
  plans: PlanDocuments;
  landing: () => Promise<LandingActions>;
  modelKey: ModelKey;
  relay: RelayConnection;
  relayLog: RelayLog;
  outbox: Outbox;
}

/** One handler for every request of the page. Params are already validated; what is thrown is shown by the page. */
export function createChatHandlers(deps: ChatHandlerDependencies): RequestHandlers {
  const { view, actions } = deps;
  return {
    ...newSessionRequests(deps),
    async send({ sessionId, key, ...message }) {
      await deps.outbox.send(sessionId, message, key);
      return {};
    },
    async withdraw({ key }) {
      await deps.outbox.withdraw(key);
      return {};
    },
    async sendAgain({ key }) {
      await deps.outbox.sendAgain(key);
      return {};
    },
    ...composingRequests(actions),
    stop: ({ sessionId }) => actions.stop(sessionId),
    async answer({ sessionId, approvalId, decision, key }) {
      await deps.outbox.answer(sessionId, approvalId, decision, key);
      return {};
    },
    async retry({ sessionId }) {
      await actions.retry(sessionId);
      return {};
    },
    ...openingHandlers(deps),
    async acceptAll({ sessionId }) {
      await deps.decisions.acceptAll(sessionId);
      return {};
    },
    async applyChanges({ sessionId }) {
      await (await deps.landing()).apply(sessionId);
      return {};
    },
    async createPullRequest({ sessionId }) {
      const pullRequest = await deps.pullRequests.createFromChat(sessionId);
      return pullRequest ? { url: pullRequest.url } : {};
    },
    async pinSession({ sessionId, pinned }) {
      await actions.pin(sessionId, pinned);
      return {};
    },
    async tendPullRequest({ sessionId, deed }) {
      await (deed === 'updateFromBase'
        ? deps.pullRequests.updateFromBaseInChat(sessionId)
        : deps.pullRequests.tend(sessionId, deed));
      return {};
    },
    async openExternal({ url }) {
      await vscode.env.openExternal(vscode.Uri.parse(externalUrl(url), true));
      return {};
    },
    async selectSession({ sessionId }) {
      view.select(sessionId ?? undefined);
      return {};
    },
    readBlob: ({ sessionId, hash, offset }) => actions.readBlob(sessionId, hash, offset),
    readEvents: ({ sessionId, after }) => actions.readEvents(sessionId, after),
    async reconnect() {
      await deps.relay.retryNow();
      return {};
    },
    async showLog() {
      await deps.relayLog.show();
      return {};
    },
    searchSessions: ({ query }) => actions.search(query),
    async showPlace({ sessionId, itemId }) {
      await (itemId === undefined ? view.reveal(sessionId) : view.showItem(sessionId, itemId));
      return {};
    },
    async exportSession({ sessionId }) {
      await (await import('../commands/exportToFile.ts')).exportToFile(actions, sessionId);
      return {};
    },
    async insertCode({ text }) {
      await (await import('./useCode.ts')).insertCode(text);
      return {};
    },
    async applyCode(code) {
      await (await import('./useCode.ts')).applyCode(code);
      return {};
    },
    async copy({ text }) {
      await vscode.env.clipboard.writeText(text);
      return {};
    },
    async setModelKey() {
      const stored = await deps.modelKey.ask();
      view.sendDraft();
      return { stored };
    },
  };
}

/** What opens in editors of their own. */
function openingHandlers({
  checkpoints,
  review,
  plans,
}: ChatHandlerDependencies): Pick<RequestHandlers, 'openChanges' | 'openFile' | 'openPlan' | 'turnAction'> {
  return {
    async openChanges({ sessionId }) {
      await review.openChanges(sessionId);
      return {};
    },
    async turnAction({ sessionId, turn, action }) {
      const act = {
        restore: () => checkpoints.restore(sessionId, turn),
        branch: () => checkpoints.branch(sessionId, turn),
        compare: () => checkpoints.compare(sessionId, turn),
        openFiles: () => checkpoints.openFiles(sessionId, turn),
        undo: () => checkpoints.undoRestore(sessionId),
      }[action];
      await act();
      return {};
    },
    async openFile({ sessionId, path, itemId }) {
      await review.openFile(sessionId, path, itemId);
      return {};
    },
    async openPlan({ sessionId, approvalId }) {
      await plans.open(sessionId, approvalId);
      return {};
    },
  };
}

function newSessionRequests({
  newSession,
  folder,
  view,
}: ChatHandlerDependencies): Pick<RequestHandlers, 'startSession' | 'warm' | 'chooseRepository'> {
  return {
    async startSession(params) {
      const started = await newSession.start(params);
      if (!started) {
        throw new SandpiperError('isolation_consent_needed', t('The session was not started.'), {
          hint: t('Nothing was sent; your text is still here.'),
        });
      }
      view.select(started.sessionId);
      return started;
    },
    async warm() {
      await newSession.warm();
      return {};
    },
    async chooseRepository() {
      await folder.choose();
      view.sendDraft();
      return {};
    },
  };
}
