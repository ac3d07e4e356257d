import * as vscode from 'vscode';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { SECRETS } from '../manifest.ts';
import type { ModelKey } from '../relay/modelKey.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { RelayLog } from '../relay/relayLog.ts';
import { toRelayUrl } from '../relay/relayTarget.ts';
import { readSetting, writeMachineSetting } from '../settings.ts';
import type { CommandHandlers } from './registerCommands.ts';
import { t } from '../../../protocol/text.ts';

export interface RelayCommandDependencies {
  relay: RelayConnection;
  modelKey: ModelKey;
  relayLog: RelayLog;
  secrets: vscode.SecretStorage;
}

type RelayCommands = Pick<
  CommandHandlers,
  | 'sandpiper.setModelKey'
  | 'sandpiper.connectRelay'
  | 'sandpiper.useEmbeddedRelay'
  | 'sandpiper.reconnectRelay'
  | 'sandpiper.restartRelay'
  | 'sandpiper.showLog'
  | 'sandpiper.openInBrowser'
>;

/** The commands that are about the relay itself. */
export function createRelayCommands({ relay, modelKey, relayLog, secrets }: RelayCommandDependencies): RelayCommands {
  return {
    async 'sandpiper.setModelKey'() {
      await modelKey.ask();
    },
    async 'sandpiper.connectRelay'() {
      await connectRelay(relay, secrets);
    },
    async 'sandpiper.useEmbeddedRelay'() {
      await writeMachineSetting('relay.url', undefined);
      await relay.whenConnected();
    },
    async 'sandpiper.reconnectRelay'() {
      await relay.retryNow();
    },
    async 'sandpiper.restartRelay'() {
      await relay.restart();
    },
    async 'sandpiper.showLog'() {
      await relayLog.show();
    },
    async 'sandpiper.openInBrowser'() {
      await openInBrowser(relay);
    },
  };
}

async function connectRelay(relay: RelayConnection, secrets: vscode.SecretStorage): Promise<void> {
  const url = await vscode.window.showInputBox({
    title: t('Connect to Relay (1 of 2)'),
    prompt: t('Address of the relay'),
    placeHolder: 'https://relay.example.com',
    value: readSetting('relay.url'),
    ignoreFocusOut: true,
    validateInput: problemWith,
  });
  if (url === undefined) {
    return;
  }
  const token = await vscode.window.showInputBox({
    title: t('Connect to Relay (2 of 2)'),
    prompt: t('Token for {0}, kept in the secret storage of the editor', url),
    password: true,
    ignoreFocusOut: true,
    validateInput: value => (value.trim() === '' ? t('The relay gave you a token when it was set up.') : undefined),
  });
  if (token === undefined) {
    return;
  }
  await secrets.store(SECRETS.relayToken, token.trim());
  await writeMachineSetting('relay.url', url.trim());
  // The setting may be the same as before, and then nothing else tells the connection about the new token.
  relay.retarget();
  await relay.whenConnected();
}

function problemWith(address: string): string | undefined {
  try {
    toRelayUrl(address.trim());
    return undefined;
  } catch (thrown) {
    return toSandpiperError(thrown).message;
  }
}

/** The same sessions as a page of the relay. The ticket in the address works once, so the token itself is never in it. */
async function openInBrowser(relay: RelayConnection): Promise<void> {
  await relay.whenConnected();
  const { url, token } = relay.endpoint();
  const response = await fetch(`${url}/v1/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  const answer: unknown = response.ok ? await response.json() : undefined;
  if (typeof answer !== 'object' || answer === null || !('ticket' in answer) || typeof answer.ticket !== 'string') {
    throw new SandpiperError('unavailable', t('The relay gave no ticket for its page (HTTP {0}).', response.status), {
      hint: t('Restart the relay and try again.'),
    });
  }
  // Through the editor, because in a remote window the relay's loopback is not the person's. The fragment of an address
  // is not sent to servers, so the ticket stands in no log.
  const page = await vscode.env.asExternalUri(vscode.Uri.parse(`${url}/`, true));
  await vscode.env.openExternal(page.with({ fragment: `ticket=${answer.ticket}` }));
}
