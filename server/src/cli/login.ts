import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import type { RelayClient } from '../../../client/relayClient.ts';
import type { CallResult } from '../../../protocol/calls.ts';
import { isErrorCode, SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { ForgeAccount } from '../../../protocol/signInCalls.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

const LOOK_MS = 500;

/** `login` and `logout`: the relay is signed in to a GitHub; this command only shows the code and waits. */
export function addLogin(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('login')
    .argument('[host]', 'a GitHub that the relay knows', 'github.com')
    .description('Sign the relay in to GitHub: enter the code that is shown in a browser, on any machine')
    .option('--json', 'the code and then the account, as JSON lines', false)
    .action((host: string, flags: { json: boolean }) =>
      run(() => withConnection(options, ({ client }) => login(client, options, host, flags.json)))(),
    );
  command
    .command('logout')
    .argument('[host]', '', 'github.com')
    .description('Have the relay forget the token of a sign-in')
    .action((host: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const { signedOut } = await client.call('forge.signOut', { host });
          process.stdout.write(signedOut ? `signed out of ${plain(host)}\n` : 'nobody was signed in\n');
          return EXIT.ok;
        }),
      )(),
    );
}

async function login(
  client: RelayClient,
  { config: { githubClientId } }: ProgramOptions,
  host: string,
  json: boolean,
): Promise<number> {
  for (;;) {
    const begun = await client.call('forge.signIn', {
      host,
      ...(githubClientId === undefined ? {} : { clientId: githubClientId }),
    });
    show(begun, json);
    const end = await endOf(client, begun.id);
    if (end === 'lost') {
      process.stderr.write('The relay was started again and does not know that code any more. Here is another one.\n');
      continue;
    }
    if (end.state === 'failed') {
      const { code, message, hint } = end.failure;
      throw new SandpiperError(isErrorCode(code) ? code : 'internal', message, { hint });
    }
    process.stdout.write(json ? `${JSON.stringify(end.account)}\n` : `${accountText(end.account)}\n`);
    return EXIT.ok;
  }
}

function show({ host, userCode, verificationUri, expiresAt }: CallResult<'forge.signIn'>, json: boolean): void {
  const minutes = Math.max(1, Math.round((expiresAt - Date.now()) / 60_000));
  process.stdout.write(
    json
      ? `${JSON.stringify({ host, userCode, verificationUri, expiresAt })}\n`
      : `Open ${plain(verificationUri)} and enter the code ${plain(userCode)}. It is good for ${minutes} minutes.\n`,
  );
}

type End = Exclude<CallResult<'forge.signInState'>, { state: 'waiting' }>;

/** `lost`: another relay runs now. While none runs, it is waited for. */
async function endOf(client: RelayClient, id: string): Promise<End | 'lost'> {
  for (;;) {
    await setTimeout(LOOK_MS);
    try {
      const found = await client.call('forge.signInState', { id });
      if (found.state !== 'waiting') {
        return found;
      }
    } catch (thrown) {
      const error = toSandpiperError(thrown);
      if (error.code === 'not_found') {
        return 'lost';
      }
      if (!error.retryable) {
        throw error;
      }
    }
  }
}

function accountText({ host, login: name, expiresAt, renewable }: ForgeAccount): string {
  const who = name === undefined ? '' : ` as ${name}`;
  const until =
    expiresAt === undefined || renewable ? '' : `, until ${new Date(expiresAt).toISOString().slice(0, 16)}Z`;
  return plain(`Signed in to ${host}${who}${until}`);
}
