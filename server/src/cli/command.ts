import { errorText, toSandpiperError } from '../../../protocol/errors.ts';
import type { Config } from '../core/config.ts';
import { tokenForRemote } from '../core/forgeConfig.ts';
import type { DataFolderTools } from '../core/dataFolderTools.ts';
import { connect, type Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';

/* What the commands share. */

export interface ProgramOptions {
  config: Config;
  /** How this program is started: interpreter and script. */
  program: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  /** Runs the relay in this process until it is told to stop. */
  serve(config: Config, options: { replace: boolean }): Promise<number>;
  tools: DataFolderTools;
}

/** Keeps the exit code of an action. */
export type Run = (action: () => Promise<number>) => () => Promise<void>;

/** The token of this shell for the forge of a remote: the relay may have been started by another, without one. */
export function tokenOf({ config }: ProgramOptions, remoteUrl: string | undefined): { token?: string } {
  const token = tokenForRemote(config, remoteUrl);
  return token === undefined ? {} : { token };
}

/** The token of this shell for the forge of a session. */
export async function tokenOfSession(
  options: ProgramOptions,
  client: Connection['client'],
  sessionId: string,
): Promise<{ token?: string }> {
  const { remoteUrl, source } = (await client.call('session.get', { sessionId })).repository;
  return tokenOf(options, remoteUrl ?? source);
}

/** Runs an action with a connection to the relay, which is started when there is none. */
export async function withConnection(
  options: ProgramOptions,
  action: (connection: Connection) => Promise<number>,
): Promise<number> {
  // Whoever reads this may have seen enough (`| head`); that is no failure.
  process.stdout.on('error', () => process.exit(EXIT.ok));
  let connection: Connection;
  try {
    connection = await connect(options.config, options.program, options.environment);
  } catch (error) {
    return noRelay(error);
  }
  try {
    return await action(connection);
  } finally {
    connection.client.dispose();
  }
}

export function noRelay(error: unknown): number {
  process.stderr.write(`${errorText(toSandpiperError(error))}\n`);
  return EXIT.noRelay;
}
