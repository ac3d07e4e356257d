import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { RequestHandlers } from '../../../protocol/webviewApi.ts';
import type { Checkpoints } from '../checkpoints/checkpoints.ts';
import type { PullRequests } from '../commands/pullRequests.ts';
import type { ModelKey } from '../relay/modelKey.ts';
import type { Outbox } from '../relay/outbox.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { RelayLog } from '../relay/relayLog.ts';
import type { Review } from '../review/review.ts';
import type { ReviewDecisions } from '../review/reviewDecisions.ts';
import type { NewSession } from '../sessions/newSession.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import type { WorkspaceFolder } from '../workspaceFolder.ts';
import type { ChatView } from './chatView.ts';
import { externalUrl } from './externalUrl.ts';

export interface ChatHandlerDependencies {
  view: ChatView;
  actions: SessionActions;
  checkpoints: Checkpoints;
  newSession: NewSession;
  folder: WorkspaceFolder;
  review: Review;
  decisions: ReviewDecisions;
  pullRequests: PullRequests;
  modelKey: ModelKey;
  relay: RelayConnection;
  relayLog: RelayLog;
  outbox: Outbox;
}

/** One handler for every request of the page. Params are already validated; what is thrown is shown by the page. */
export function createChatHandlers(deps: ChatHandlerDependencies): RequestHandlers {
  const { view, actions, checkpoints, review } = deps;
  return {
    async startSession(params) {
      const started = await deps.newSession.start(params);
      if (!started) {
        throw new SandpiperError('isolation_consent_needed', 'The session was not started.', {
          hint: 'Nothing was sent; your text is still here.',
        });
      }
      view.select(started.sessionId);
      return started;
    },
    async chooseRepository() {
      await deps.folder.choose();
      view.sendDraft();
      return {};
    },
    async send({ sessionId, text, key }) {
      await deps.outbox.send(sessionId, text, key);
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
    stop: ({ sessionId }) => actions.stop(sessionId),
    async answer({ sessionId, approvalId, decision, key }) {
      await deps.outbox.answer(sessionId, approvalId, decision, key);
      return {};
    },
    async retry({ sessionId }) {
      await actions.retry(sessionId);
      return {};
    },
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
    async openFile({ sessionId, path }) {
      await review.openFile(sessionId, path);
      return {};
    },
    async acceptAll({ sessionId }) {
      await deps.decisions.acceptAll(sessionId);
      return {};
    },
    async createPullRequest({ sessionId }) {
      const pullRequest = await deps.pullRequests.createFromChat(sessionId);
      return pullRequest ? { url: pullRequest.url } : {};
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
