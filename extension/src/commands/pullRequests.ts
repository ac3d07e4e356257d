import * as vscode from 'vscode';
import type { ClientParams } from '../../../client/relayClient.ts';
import type { CallResult } from '../../../protocol/calls.ts';
import { toSandpiperError } from '../../../protocol/errors.ts';
import type { PullRequest } from '../../../protocol/events.ts';
import type { LandingTree, PullRequestDeed } from '../../../protocol/landingCalls.ts';
import { externalUrl } from '../chat/externalUrl.ts';
import { VIEWS, type CommandId } from '../manifest.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { SessionActions } from '../sessions/sessionActions.ts';
import { readSetting } from '../settings.ts';
import { userText } from '../userText.ts';
import { askBesideTheirs } from './askBesideTheirs.ts';
import { askLandingTree } from './askLandingTree.ts';
import { checkPolicy } from './checkPolicy.ts';
import type { ForgeSignIn } from './forgeSignIn.ts';
import { undecidedText } from './landingChoice.ts';
import { takenBranch } from './takenBranch.ts';
import { count, t } from '../../../protocol/text.ts';

type Opened = CallResult<'pullRequest.open'>;
type OpenParams = ClientParams<'pullRequest.open'>;

/** Lands a session's work as a pull request. */
export class PullRequests {
  readonly #relay: RelayLink;
  readonly #actions: SessionActions;
  readonly #signIns: ForgeSignIn;

  constructor(relay: RelayLink, actions: SessionActions, signIns: ForgeSignIn) {
    this.#relay = relay;
    this.#actions = actions;
    this.#signIns = signIns;
  }

  /** Pushes the branch and opens or updates the pull request. Says so, and offers to open it. */
  async create(sessionId: string): Promise<void> {
    const from = await this.#ask(sessionId);
    const opened =
      from &&
      (await vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: t('Sandpiper: creating the pull request…') },
        () => this.#open(sessionId, from),
      ));
    if (opened) {
      this.#tell(opened);
    }
  }

  /**
   * As `create`, for the chat, which shows by itself what came of it.
   * @returns undefined when the person chose nothing, or declined to sign in
   */
  async createFromChat(sessionId: string): Promise<PullRequest | undefined> {
    const from = await this.#ask(sessionId);
    const location = { viewId: VIEWS.chat };
    return from && (await vscode.window.withProgress({ location }, () => this.#open(sessionId, from)))?.pullRequest;
  }

  /** Has the agent do something about the pull request, in a turn. */
  async tend(sessionId: string, deed: PullRequestDeed): Promise<void> {
    const { remoteUrl } = (await this.#actions.state(sessionId)).repository;
    const token = await this.#signIns.entered(remoteUrl);
    await this.#relay.call('pullRequest.tend', { sessionId, deed, ...(token === undefined ? {} : { token }) });
  }

  /** Merges what the base branch has since into the session and its pull request. Of a conflict it says the way out. */
  async updateFromBase(sessionId: string): Promise<void> {
    await this.#update(sessionId).catch((refused: unknown) => {
      if (!this.#tellConflict(sessionId, refused)) {
        throw refused;
      }
    });
  }

  /** As `updateFromBase`, for the chat, where what went wrong stays on show. */
  async updateFromBaseInChat(sessionId: string): Promise<void> {
    await this.#update(sessionId).catch((refused: unknown) => {
      this.#tellConflict(sessionId, refused);
      throw refused;
    });
  }

  async #update(sessionId: string): Promise<void> {
    const { remoteUrl } = (await this.#actions.state(sessionId)).repository;
    const token = await this.#signIns.entered(remoteUrl);
    const { updated, pullRequest } = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: t('Sandpiper: updating from the base…') },
      () => this.#relay.call('pullRequest.updateFromBase', { sessionId, ...(token === undefined ? {} : { token }) }),
    );
    const { number, baseBranch } = pullRequest;
    void vscode.window.showInformationMessage(
      updated
        ? t('Pull request #{0} has what {1} has since.', number, baseBranch)
        : t('Pull request #{0} had all of {1} already.', number, baseBranch),
    );
  }

  /** What is pushed is merged by hand: in the person's own clone, or on the forge. False: it is another failure. */
  #tellConflict(sessionId: string, thrown: unknown): boolean {
    const refused = toSandpiperError(thrown);
    if (refused.code !== 'conflict' || !Array.isArray(refused.details?.['files'])) {
      return false;
    }
    const checkOut = t('Check Out Branch…');
    const open = t('Open in Browser');
    void vscode.window.showWarningMessage(userText(refused), checkOut, open).then(async chosen => {
      if (chosen === checkOut) {
        await vscode.commands.executeCommand('sandpiper.checkOutBranch' satisfies CommandId, sessionId);
      } else if (chosen === open) {
        await vscode.commands.executeCommand('sandpiper.openPullRequest' satisfies CommandId, sessionId);
      }
    });
    return true;
  }

  /** Shows what the policy of the base branch says of the session's work. */
  async checkPolicy(sessionId: string, openChanges: () => PromiseLike<unknown>): Promise<void> {
    const { remoteUrl } = (await this.#actions.state(sessionId)).repository;
    await checkPolicy(this.#relay, { sessionId, token: await this.#signIns.entered(remoteUrl) }, openChanges);
  }

  async openInBrowser(pullRequest: PullRequest): Promise<void> {
    await vscode.env.openExternal(vscode.Uri.parse(externalUrl(pullRequest.url), true));
  }

  /** Where the relay will refuse what is undecided, there is nothing to choose. */
  async #ask(sessionId: string): Promise<LandingTree | undefined> {
    const described = await this.#relay.call('landing.describe', { sessionId });
    const isBlocked = readSetting('review.blockLandingWhilePending') && undecidedText(described) !== '';
    return isBlocked ? described.default : askLandingTree(described, t('What should the pull request have?'));
  }

  /** The relay may hold a token of its own, so the person is asked to sign in only when it was refused without one. */
  async #open(sessionId: string, from: LandingTree): Promise<Opened | undefined> {
    const baseBranch = readSetting('pullRequest.baseBranch');
    const params = {
      sessionId,
      from,
      ...(readSetting('review.blockLandingWhilePending') ? { blockWhilePending: true } : {}),
      draft: readSetting('pullRequest.draft'),
      ...(baseBranch === '' ? {} : { baseBranch }),
    };
    return this.#send(params).catch((refused: unknown) => this.#signIn(params, refused));
  }

  /**
   * Once more with a token, where one is wanted: what the person entered before, else what they sign in with now.
   * @returns undefined when they declined
   */
  async #signIn(params: OpenParams, thrown: unknown): Promise<Opened | undefined> {
    const refused = toSandpiperError(thrown);
    if (refused.code !== 'forge_unauthorized') {
      throw refused;
    }
    const { remoteUrl } = (await this.#actions.state(params.sessionId)).repository;
    const entered = await this.#signIns.entered(remoteUrl);
    if (entered !== undefined) {
      try {
        return await this.#send({ ...params, token: entered });
      } catch (again) {
        if (toSandpiperError(again).code !== 'forge_unauthorized') {
          throw again;
        }
      }
    }
    const token = await this.#signIns.ask(remoteUrl, refused);
    return token === undefined ? undefined : this.#send({ ...params, token });
  }

  #send(params: OpenParams): Promise<Opened | undefined> {
    return this.#relay
      .call('pullRequest.open', params)
      .catch((refused: unknown) => this.#besideTheirs(params, refused));
  }

  /**
   * Once more the way the person chooses, where others pushed to the branch.
   * @returns undefined when they chose none
   */
  async #besideTheirs(params: OpenParams, refused: unknown): Promise<Opened | undefined> {
    const taken = takenBranch(refused);
    if (taken === undefined) {
      throw refused;
    }
    const choice = await askBesideTheirs(taken, toSandpiperError(refused).message);
    return choice && this.#relay.call('pullRequest.open', { ...params, ...choice });
  }

  #tell({ pullRequest, created, from, pending = 0 }: Opened): void {
    const what = openedText(created, pullRequest);
    const taken = from === 'accepted' ? t('{0} with the accepted changes', what) : t('{0} with all changes', what);
    const left = pending === 0 ? [] : [t('{0} not reviewed', count(pending, 'change'))];
    const text = `${[taken, ...left].join('; ')}.`;
    void vscode.window.showInformationMessage(text, t('Open in Browser'), t('Copy Link')).then(async chosen => {
      if (chosen === t('Open in Browser')) {
        await this.openInBrowser(pullRequest);
      } else if (chosen === t('Copy Link')) {
        await vscode.env.clipboard.writeText(pullRequest.url);
      }
    });
  }
}

function openedText(created: boolean, { draft, number }: Opened['pullRequest']): string {
  if (created) {
    return draft ? t('Opened draft pull request #{0}', number) : t('Opened pull request #{0}', number);
  }
  return draft ? t('Updated draft pull request #{0}', number) : t('Updated pull request #{0}', number);
}
