import { createRelayClient, type RelayClient } from '../../../client/relayClient.ts';
import { findRelay, startRelay } from '../../../client/localRelay.ts';
import type { RelayAddress } from '../../../client/relayAddress.ts';
import { createWsSocket } from '../../../client/wsSocket.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { VERSION, type Config } from '../core/config.ts';

export interface Connection {
  client: RelayClient;
  url: string;
  token: string;
}

const START_TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 10_000;
const PAGE = 200;

/**
 * Joins the relay of this data folder, or starts it. It stays behind when the command ends: sessions work on.
 * @param program how this program is started, for the relay's own process
 * @throws when there is no relay that this program can talk to
 */
export async function connect(
  config: Config,
  program: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Connection> {
  const found = await startRelay({
    dataFolder: config.dataFolder,
    command: [...program, 'serve'],
    env: { ...environment, SANDPIPER_DATA: config.dataFolder },
    timeoutMs: START_TIMEOUT_MS,
    version: VERSION,
  });
  if (found.version !== VERSION) {
    process.stderr.write(
      `The relay is version ${found.version}, this command is ${VERSION}. They work together where they can.\n`,
    );
  }
  return { client: await openClient(config.dataFolder, found), url: found.url, token: found.token };
}

/** A client that is connected, and that finds the relay again when it was started anew at another address. */
function openClient(dataFolder: string, first: RelayAddress): Promise<RelayClient> {
  return new Promise((resolve, reject) => {
    let known: RelayAddress | undefined = first;
    let isReady = false;
    let isLost = false;
    const refuse = (error: SandpiperError) => {
      clearTimeout(timer);
      client.dispose();
      reject(error);
    };
    const timer = setTimeout(
      () =>
        refuse(
          new SandpiperError('timeout', `The relay at ${first.url} does not answer.`, {
            hint: `Stop process ${first.pid}, then try again: the relay is then started anew.`,
          }),
        ),
      CONNECT_TIMEOUT_MS,
    );
    const client = createRelayClient({
      connect: async () => {
        const address = known ?? (await findRelay(dataFolder));
        known = undefined;
        if (!address) {
          throw new SandpiperError('unavailable', 'The relay does not run any more.', {
            hint: 'Start it with `sandpiper serve`.',
          });
        }
        return createWsSocket(address.url, address.token);
      },
      client: { name: 'cli', version: VERSION },
      onState: state => {
        if (state.kind === 'connected') {
          if (isLost) {
            isLost = false;
            process.stderr.write('Connected to the relay again.\n');
          }
          isReady = true;
          clearTimeout(timer);
          resolve(client);
        } else if (state.kind === 'refused' && !isReady) {
          refuse(state.error);
        } else if (state.kind === 'waiting' && isReady && !isLost) {
          isLost = true;
          process.stderr.write(`${state.error.message} Trying again; Ctrl-C ends this command only.\n`);
        }
      },
    });
    client.connect();
  });
}

/** Every session, the latest first. */
export async function listSessions(client: RelayClient, archived: boolean): Promise<SessionSummary[]> {
  const all: SessionSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.call('session.list', {
      archived,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    all.push(...page.sessions);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}

/** A session by its id, or by an unambiguous end of it. @throws not_found */
export async function findSession(client: RelayClient, text: string): Promise<string> {
  if (/^ses_[0-9a-z]{26}$/.test(text)) {
    return text;
  }
  const lists = await Promise.all([false, true].map(archived => listSessions(client, archived)));
  const ids = lists.flatMap(list => list.map(session => session.id)).filter(id => id.endsWith(text));
  const [id, ...others] = ids;
  if (id === undefined || others.length > 0) {
    throw new SandpiperError(
      'not_found',
      `${others.length > 0 ? 'Several sessions end' : 'No session ends'} with "${text}".`,
      {
        hint: 'Run `sandpiper sessions` to see their ids.',
      },
    );
  }
  return id;
}
