import * as vscode from 'vscode';
import type { CallResult } from '../../../protocol/calls.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import { externalUrl } from '../chat/externalUrl.ts';
import type { Log } from '../log.ts';
import { VIEWS } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { readSetting } from '../settings.ts';
import { accountProvider } from './forgeAccount.ts';

type Opened = CallResult<'pullRequest.open'>;

/** Lands a session's work as a pull request. */
export class PullRequests {
  readonly #relay: RelayLink;
  readonly #actions: SessionActions;
  readonly #log: Log;

  constructor(relay: RelayLink, actions: SessionActions, log: Log) {
    this.#relay = relay;
    this.#actions = actions;
    this.#log = log;
  }

  /** Pushes the branch and opens or updates the pull request. Says so, and offers to open it. */
  async create(sessionId: string): Promise<void> {
    const opened = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'Sandpiper: creating the pull request…' },
      () => this.#open(sessionId),
    );
    if (opened) {
      this.#tell(opened);
    }
  }

  /**
   * As `create`, for the chat, which shows by itself what came of it.
   * @returns undefined when the person declined to sign in
   */
  async createFromChat(sessionId: string): Promise<PullRequest | undefined> {
    const location = { viewId: VIEWS.chat };
    return (await vscode.window.withProgress({ location }, () => this.#open(sessionId)))?.pullRequest;
  }

  async openInBrowser(pullRequest: PullRequest): Promise<void> {
    await vscode.env.openExternal(vscode.Uri.parse(externalUrl(pullRequest.url), true));
  }

  /** The relay may hold a token of its own, so the person is asked to sign in only when it was refused without one. */
  async #open(sessionId: string): Promise<Opened | undefined> {
    const baseBranch = readSetting('pullRequest.baseBranch');
    const params = {
      sessionId,
      draft: readSetting('pullRequest.draft'),
      ...(baseBranch === '' ? {} : { baseBranch }),
    };
    try {
      return await this.#relay.call('pullRequest.open', params);
    } catch (thrown) {
      if (toSandpiperError(thrown).code !== 'forge_unauthorized') {
        throw thrown;
      }
      const token = await this.#token(sessionId, thrown);
      return token === undefined ? undefined : this.#relay.call('pullRequest.open', { ...params, token });
    }
  }

  async #token(sessionId: string, refused: unknown): Promise<string | undefined> {
    const { repository } = await this.#actions.state(sessionId);
    const enterpriseUri = vscode.workspace.getConfiguration('github-enterprise').get<string>('uri');
    const provider = accountProvider(repository.remoteUrl, enterpriseUri ?? '');
    if (provider === undefined) {
      throw refused;
    }
    try {
      return (await vscode.authentication.getSession(provider, ['repo'], { createIfNone: true })).accessToken;
    } catch (thrown) {
      this.#log.warn('command', `Signing in to ${provider} did not happen: ${String(thrown)}`);
      return undefined;
    }
  }

  #tell({ pullRequest, created }: Opened): void {
    const text = `${created ? 'Opened' : 'Updated'} ${pullRequest.draft ? 'draft ' : ''}pull request #${pullRequest.number}.`;
    void vscode.window.showInformationMessage(text, 'Open in Browser', 'Copy Link').then(async chosen => {
      if (chosen === 'Open in Browser') {
        await this.openInBrowser(pullRequest);
      } else if (chosen === 'Copy Link') {
        await vscode.env.clipboard.writeText(pullRequest.url);
      }
    });
  }
}
