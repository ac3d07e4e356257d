import { InvalidArgumentError, type Command } from 'commander';
import { restoredParts, turnName } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession, type Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { readImageFiles } from './imageFiles.ts';
import { several } from './network.ts';

interface BackFlags {
  code: boolean;
  conversation: boolean;
  undo: boolean;
  stop: boolean;
}

/** The commands that go back to a turn. */
export function addCheckpoints(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('back')
    .argument('<session>', 'id, or the end of one')
    .argument('[turn]', 'whose end to go back to; 0 is the start', turnNumber)
    .description('Bring code and conversation back to the end of a turn')
    .option('--code', 'only the files', false)
    .option('--conversation', 'only what the agent remembers', false)
    .option('--undo', 'take the last one back', false)
    .option('--stop', 'stop a turn that runs', false)
    .action((session: string, turn: number | undefined, flags: BackFlags) =>
      run(() => withConnection(options, connection => goBack(connection, session, turn, flags)))(),
    );
  command
    .command('branch')
    .argument('<session>', 'id, or the end of one')
    .argument('<turn>', 'from whose end; 0 is the start', turnNumber)
    .argument('[prompt]', 'the first message of the new session')
    .description('Begin a new session from the end of a turn; the first one goes on as it is')
    .option('--title <text>')
    .option('--image <file>', 'an image for the agent to look at; may be repeated', several, [])
    .option('--accept-no-isolation', 'run without isolation when nothing isolates', false)
    .action(
      (
        session: string,
        turn: number,
        prompt: string | undefined,
        { image, ...flags }: { title?: string; image: string[]; acceptNoIsolation: boolean },
      ) =>
        run(() =>
          withConnection(options, async ({ client }) => {
            const images = await readImageFiles(image);
            const branched = await client.call('checkpoint.branch', {
              sessionId: await findSession(client, session),
              turn,
              ...(prompt === undefined ? {} : { prompt }),
              ...(images.length === 0 ? {} : { images }),
              ...flags,
            });
            process.stdout.write(`${branched.sessionId}\n`);
            return EXIT.ok;
          }),
        )(),
    );
}

async function goBack(
  { client }: Connection,
  session: string,
  turn: number | undefined,
  { code, conversation, undo, stop }: BackFlags,
): Promise<number> {
  const sessionId = await findSession(client, session);
  if ((turn === undefined) !== undo) {
    throw new SandpiperError('invalid_params', 'Name a turn, or --undo.');
  }
  const all = !code && !conversation;
  const { restore } =
    turn === undefined
      ? await client.call('checkpoint.undo', { sessionId, stop })
      : await client.call('checkpoint.restore', {
          sessionId,
          turn,
          code: code || all,
          conversation: conversation || all,
          stop,
        });
  const state = await untilDone(client, sessionId, restore);
  const done = state.restores?.find(({ seq }) => seq === restore);
  if (!done) {
    const notice = state.items.findLast(item => item.kind === 'notice');
    throw new SandpiperError('conflict', notice?.text ?? 'Nothing was restored.');
  }
  process.stdout.write(`${restoredParts(done)} of ${turnName(done.turn)}\n`);
  return EXIT.ok;
}

/** @throws why the session cannot go on */
function untilDone(client: Connection['client'], sessionId: string, restore: number): Promise<SessionState> {
  return new Promise((resolve, reject) => {
    const following = client.follow(sessionId, ({ state }) => {
      if (!state || state.seq < restore) {
        return;
      }
      if (state.restoring?.seq !== restore) {
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

/** @throws when it is none */
function turnNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError('Give the number of a turn; 0 is the start.');
  }
  return Number(text);
}
