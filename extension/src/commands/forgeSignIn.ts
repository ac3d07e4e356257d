import * as vscode from 'vscode';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import type { Log } from '../log.ts';
import { SECRETS } from '../manifest.ts';
import { userText } from '../userText.ts';
import { accountProvider, hostOf } from './forgeAccount.ts';
import { t } from '../../../protocol/text.ts';

/** Tokens for forges: of the editor's GitHub account where it is for the host, else one that the person enters. */
export class ForgeSignIn {
  readonly #secrets: vscode.SecretStorage;
  readonly #log: Log;

  constructor(secrets: vscode.SecretStorage, log: Log) {
    this.#secrets = secrets;
    this.#log = log;
  }

  /** A token that the person entered before for the host of a remote. */
  async entered(remoteUrl: string | undefined): Promise<string | undefined> {
    return this.#secrets.get(keyOf(remoteUrl));
  }

  /**
   * Asks the person to sign in, or to enter a token where no account of the editor is for the host.
   * @param refused what the relay said without a token
   * @returns undefined when they declined
   */
  async ask(remoteUrl: string | undefined, refused: SandpiperError): Promise<string | undefined> {
    const enterpriseUri = vscode.workspace.getConfiguration('github-enterprise').get<string>('uri');
    const provider = accountProvider(remoteUrl, enterpriseUri ?? '');
    if (provider === undefined) {
      return this.#enter(remoteUrl, refused);
    }
    try {
      return (await vscode.authentication.getSession(provider, ['repo'], { createIfNone: true })).accessToken;
    } catch (thrown) {
      const { message } = toError(thrown);
      this.#log.warn('command', `Signing in to ${provider} did not happen: ${message}`);
      // The editor's words for a person who said no; they need not hear of it.
      if (/did not consent|cancel/i.test(message)) {
        return undefined;
      }
      const text = t('Signing in with the account of the editor did not work: {0}', message);
      return this.#enter(remoteUrl, new SandpiperError('forge_unauthorized', text));
    }
  }

  async #enter(remoteUrl: string | undefined, why: SandpiperError): Promise<string | undefined> {
    const host = hostOf(remoteUrl ?? '') ?? t('the forge');
    const enter = t('Enter Token…');
    const detail = t('{0} A token that may read and write this repository does as well.', userText(why));
    const chosen = await vscode.window.showWarningMessage(t('Sign in to {0}?', host), { modal: true, detail }, enter);
    const answer =
      chosen === enter
        ? await vscode.window.showInputBox({
            title: t('Token for {0}', host),
            prompt: t('Kept in the secret storage of the editor. It never enters a sandbox.'),
            password: true,
            ignoreFocusOut: true,
            validateInput: value => (/^\S+$/.test(value.trim()) ? undefined : t('A token has no spaces in it.')),
          })
        : undefined;
    const token = answer?.trim();
    if (token) {
      await this.#secrets.store(keyOf(remoteUrl), token);
    }
    return token;
  }
}

function keyOf(remoteUrl: string | undefined): string {
  return `${SECRETS.forgeToken}.${hostOf(remoteUrl ?? '') ?? ''}`;
}
