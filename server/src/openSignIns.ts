import { join } from 'node:path';
import type { CallHandlers } from '../../protocol/calls.ts';
import { SandpiperError } from '../../protocol/errors.ts';
import type { ForgeAccount } from '../../protocol/signInCalls.ts';
import type { CallContext } from './core/callContext.ts';
import type { Config } from './core/config.ts';
import { readOrMakeSecret } from './core/dataFolder.ts';
import type { Logger } from './core/log.ts';
import type { Ownership } from './core/ownership.ts';
import type { ForgeRepository } from './forges/forge.ts';
import { GithubClients } from './forges/github/githubClients.ts';
import { webUrl } from './forges/github/githubRemote.ts';
import { GithubSignIns } from './forges/github/githubSignIns.ts';
import { GithubOauth } from './forges/github/oauth.ts';
import { SignInFlows } from './forges/github/signInFlows.ts';
import type { Secrets } from './redaction/secrets.ts';
import { toFailure } from './sessions/failure.ts';
import { Idempotency } from './sessions/idempotency.ts';
import type { Store } from './store/store.ts';

type SignInHandlers = Pick<
  CallHandlers<CallContext>,
  'forge.signIn' | 'forge.signInState' | 'forge.signOut' | 'forge.accounts'
>;

export interface OpenSignIns {
  handlers: SignInHandlers;
  accounts(): ForgeAccount[];
  /** Undefined where nobody is signed in. @throws `forge_unauthorized`, `forge_unreachable` */
  tokenFor(repository: ForgeRepository): Promise<string | undefined>;
  /** Waits for a token that is made at this moment: GitHub has taken the old one back. */
  close(): Promise<void>;
}

const SETTING = 'forge.signIns';
const KEY_FILE = 'sign-in-key';
/** GitHub answers sooner, or the network is at fault. */
const CLOSE_WAIT_MS = 3_000;

/** Who signed this relay in to a forge. The sealed tokens are in the store, their key is in a file beside it. */
export async function openSignIns(
  config: Config,
  { store, ownership, secrets, log }: { store: Store; ownership: Ownership; secrets: Secrets; log: Logger },
): Promise<OpenSignIns> {
  const clients = new GithubClients({ hosts: config.githubHosts });
  const oauth = (host: string) => {
    const known = clients.hostOf({ host });
    return new GithubOauth({ webUrl: webUrl(known), apiUrl: known.apiUrl, fetch: clients.fetchInTime });
  };
  const signIns = await GithubSignIns.open({
    oauth,
    kept: {
      read: async () => textOf(await store.readSetting(SETTING)),
      write: sealed => store.writeSetting(SETTING, JSON.stringify(sealed)),
    },
    key: async () => Buffer.from(await readOrMakeSecret(join(config.dataFolder, KEY_FILE)), 'base64url'),
    log,
    onToken: (use, token) => secrets.hold(`sign-in ${use}`, 'forge token', token),
    confirm: () => ownership.confirm(),
  });
  const flows = new SignInFlows({
    oauth,
    onGranted: async ({ host, clientId }, grant) => {
      const login = await oauth(host).loginOf(grant.token);
      await signIns.add({ host, clientId, login }, grant);
      log.log('info', 'forge', `Signed in to ${host}${login === undefined ? '' : ` as ${login}`}`);
    },
  });
  return {
    handlers: signInHandlers(config, { store, clients, signIns, flows }),
    accounts: () => signIns.accounts(),
    tokenFor: async repository => (repository.forge === 'github' ? signIns.tokenFor(repository) : undefined),
    close: async () => {
      flows.close();
      await signIns.settled(CLOSE_WAIT_MS);
    },
  };
}

function signInHandlers(
  config: Config,
  parts: { store: Store; clients: GithubClients; signIns: GithubSignIns; flows: SignInFlows },
): SignInHandlers {
  const { store, clients, signIns, flows } = parts;
  const idempotency = new Idempotency(store);
  return {
    'forge.signIn': async ({ host: name, clientId = config.githubClientId }) => {
      const { host } = clients.hostOf({ host: name.toLowerCase() });
      if (clientId === undefined) {
        throw noClientId();
      }
      const { id, userCode, verificationUri, expiresInMs } = await flows.begin(host, clientId);
      return { id, host, userCode, verificationUri, expiresAt: Date.now() + expiresInMs };
    },
    'forge.signInState': async ({ id }) => {
      const { host, state } = flows.state(id);
      if (state.kind === 'failed') {
        return { state: 'failed', failure: toFailure(state.error) };
      }
      const account = signIns.accounts().find(one => one.host === host);
      return state.kind === 'signedIn' && account ? { state: 'signedIn', account } : { state: 'waiting' };
    },
    'forge.signOut': params =>
      idempotency.once('forge.signOut', params, async record => {
        const signedOut = await signIns.remove(params.host.toLowerCase());
        await store.recordCall(record({ signedOut }));
        return { signedOut };
      }),
    'forge.accounts': async () => ({ accounts: signIns.accounts() }),
  };
}

function noClientId(): SandpiperError {
  return new SandpiperError(
    'invalid_params',
    'SANDPIPER_GITHUB_CLIENT_ID is not set: GitHub signs in to an App only.',
    {
      hint: 'Set it to the client id of your GitHub App or OAuth App with the device flow enabled: docs/github.md says how.',
    },
  );
}

function textOf(setting: string | undefined): string | undefined {
  const value: unknown = setting === undefined ? undefined : JSON.parse(setting);
  return typeof value === 'string' ? value : undefined;
}
