import type { Command } from 'commander';
import { SandpiperError } from '../../../protocol/errors.ts';
import { providerName } from '../../../protocol/providerName.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession, type Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';

interface MoveFlags {
  to: string;
  stop: boolean;
  acceptNoIsolation: boolean;
}

/** `move <session> --to <provider>`. */
export function addMove(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('move')
    .argument('<session>', 'id, or the end of one')
    .description('Move a session to another sandbox provider; it goes on there with its files and its conversation')
    .requiredOption('--to <provider>', 'local, docker, kubernetes, e2b or daytona, as far as the relay has them')
    .option('--stop', 'stop a turn that runs', false)
    .option('--accept-no-isolation', 'run without isolation when nothing isolates there', false)
    .action((session: string, flags: MoveFlags) =>
      run(() => withConnection(options, connection => moveTo(connection, session, flags)))(),
    );
}

async function moveTo({ client }: Connection, session: string, flags: MoveFlags): Promise<number> {
  const { to, stop, acceptNoIsolation } = flags;
  const sessionId = await findSession(client, session);
  const { move } = await client.call('session.move', { sessionId, provider: to, stop, acceptNoIsolation });
  const state = await untilDone(client, sessionId, move);
  if (state.provider !== to) {
    const told = state.items.findLast(item => item.kind === 'notice' && item.level !== 'warning');
    const { text, hint } = told?.kind === 'notice' ? told : { text: 'The session was not moved.', hint: undefined };
    throw new SandpiperError('conflict', text, { hint });
  }
  process.stdout.write(`moved to ${providerName(to)}\n`);
  return EXIT.ok;
}

/** @throws why the session cannot go on */
function untilDone(client: Connection['client'], sessionId: string, move: number): Promise<SessionState> {
  return new Promise((resolve, reject) => {
    const following = client.follow(sessionId, ({ state }) => {
      if (!state || state.seq < move) {
        return;
      }
      if (state.moving?.seq !== move) {
        setImmediate(() => following.dispose());
        resolve(state);
      } else if (state.phase.kind === 'blocked') {
        setImmediate(() => following.dispose());
        const { message, hint } = state.phase.failure;
        reject(new SandpiperError('conflict', message, { hint }));
      }
    });
  });
}
