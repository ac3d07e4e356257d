import * as vscode from 'vscode';
import { SECRETS } from '../manifest.ts';
import type { RelayConnection } from './relayConnection.ts';
import { t } from '../../../protocol/text.ts';

/** The Anthropic API key: kept in the editor's secret storage, handed to the relay, which holds it in memory only. */
export class ModelKey {
  readonly #secrets: vscode.SecretStorage;
  readonly #relay: RelayConnection;

  constructor(secrets: vscode.SecretStorage, relay: RelayConnection) {
    this.#secrets = secrets;
    this.#relay = relay;
  }

  /**
   * Asks for the key and hands it over. An empty answer forgets the stored one.
   * @returns false when the person cancelled
   */
  async ask(): Promise<boolean> {
    const target = await this.#relay.target();
    const answer = await vscode.window.showInputBox({
      title: t('Anthropic API Key'),
      prompt:
        target.kind === 'embedded'
          ? t(
              'Kept in the secret storage of the editor. It never enters a sandbox. Leave empty to forget the stored key.',
            )
          : t('Will be sent to the relay at {0}, and is not stored here.', target.url),
      password: true,
      ignoreFocusOut: true,
      validateInput: value => (/\s/.test(value.trim()) ? t('A key has no spaces in it.') : undefined),
    });
    const apiKey = answer?.trim();
    if (apiKey === undefined) {
      return false;
    }
    if (apiKey === '') {
      await this.#secrets.delete(SECRETS.modelKey);
      return true;
    }
    await this.#relay.call('relay.setModelKey', { apiKey });
    if (target.kind === 'embedded') {
      await this.#secrets.store(SECRETS.modelKey, apiKey);
    }
    return true;
  }
}
