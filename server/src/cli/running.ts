import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { MessageWay } from '../../../protocol/composing.ts';
import { permissionModeSchema } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { amount } from './arguments.ts';
import { tokenOf, withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession, type Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { followSession } from './follow.ts';
import { readImageFiles } from './imageFiles.ts';
import { several } from './network.ts';
import { createStyle } from './render.ts';
import { isUrl } from './source.ts';

/** `run`. */
export function addRun(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('run')
    .argument('<prompt>', 'what to do')
    .description('Start a session and follow its first turn')
    .option('--repo <source>', 'local path or URL of the repository', '.')
    .option('--base <rev>', 'commit, branch or tag to start from (default: HEAD)')
    .option('--uncommitted', 'take uncommitted and untracked files along', false)
    .option('--title <text>')
    .option('--model <name>')
    .option('--provider <id>', 'where the agent works: local, docker; `doctor` shows what there is', 'local')
    .option('--budget <usd>', 'stop the model after this much money', amount)
    .option('--network <host>', 'what its programs may reach: a host, or npm, pypi, ...; may be repeated', several, [])
    .addOption(
      new Option('--permissions <mode>', 'what the agent may do without asking')
        .choices(permissionModeSchema.options)
        .default('ask'),
    )
    .option('--accept-no-isolation', 'agree that the agent runs with your rights, where nothing can isolate it', false)
    .option('--image <file>', 'an image for the agent to look at; may be repeated', several, [])
    .option('--detach', 'do not follow', false)
    .option('--json', 'events as JSON lines', false)
    .action((prompt: string, flags: RunFlags) =>
      run(() =>
        withConnection(options, async connection => {
          const remote = isUrl(flags.repo);
          const images = await readImageFiles(flags.image);
          const created = await connection.client.call('session.create', {
            source: remote ? flags.repo : resolve(flags.repo),
            ...(remote ? tokenOf(options, flags.repo) : {}),
            prompt,
            ...(images.length === 0 ? {} : { images }),
            includeUncommitted: flags.uncommitted,
            provider: flags.provider,
            acceptNoIsolation: flags.acceptNoIsolation,
            permissionMode: permissionModeSchema.parse(flags.permissions),
            ...(flags.base === undefined ? {} : { base: flags.base }),
            ...(flags.title === undefined ? {} : { title: flags.title }),
            ...(flags.model === undefined ? {} : { model: flags.model }),
            ...(flags.budget === undefined ? {} : { budgetUsd: flags.budget }),
            ...(flags.network.length === 0 ? {} : { network: flags.network }),
          });
          const { sessionId } = created;
          process.stdout.write(flags.json ? `${JSON.stringify(created)}\n` : `session ${sessionId}\n`);
          return flags.detach ? EXIT.ok : follow(connection, sessionId, flags.json, turnIsOver(1));
        }),
      )(),
    );
}

interface RunFlags {
  repo: string;
  base?: string;
  uncommitted: boolean;
  title?: string;
  model?: string;
  provider: string;
  budget?: number;
  network: string[];
  image: string[];
  permissions: string;
  acceptNoIsolation: boolean;
  detach: boolean;
  json: boolean;
}

/** `send`. */
export function addSend(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('send')
    .argument('<session>', 'id, or the end of one')
    .argument('<text>')
    .description('Send a message and follow the turn')
    .option('--steer', 'into the turn that runs, at its next step', false)
    .addOption(new Option('--interrupt', 'stop the turn that runs, and come next').default(false).conflicts('steer'))
    .option('--image <file>', 'an image for the agent to look at; may be repeated', several, [])
    .option('--detach', 'do not follow', false)
    .option('--json', 'events as JSON lines', false)
    .action((session: string, text: string, flags: SendFlags) =>
      run(() =>
        withConnection(options, async connection => {
          const sessionId = await findSession(connection.client, session);
          const images = await readImageFiles(flags.image);
          const sent = await connection.client.call('session.send', { sessionId, text, way: wayOf(flags), images });
          if (flags.json) {
            process.stdout.write(`${JSON.stringify(sent)}\n`);
          }
          return flags.detach ? EXIT.ok : follow(connection, sessionId, flags.json, messageIsDone(sent.messageId));
        }),
      )(),
    );
}

interface SendFlags {
  steer: boolean;
  interrupt: boolean;
  image: string[];
  detach: boolean;
  json: boolean;
}

function wayOf({ steer, interrupt }: SendFlags): MessageWay {
  return steer ? 'steer' : interrupt ? 'interrupt' : 'queue';
}

/** @param elsewise what happens to a question where nobody can be asked */
export function follow(
  { client }: Connection,
  sessionId: string,
  json: boolean,
  until: (state: SessionState) => number | undefined,
  elsewise: 'end' | 'show' = 'end',
): Promise<number> {
  return followSession({
    client,
    sessionId,
    json,
    style: createStyle(process.stdout.isTTY && !json),
    onQuestion: process.stdin.isTTY && !json ? 'ask' : elsewise,
    until,
  });
}

/** Ends when this turn is done or cannot be. */
function turnIsOver(number: number): (state: SessionState) => number | undefined {
  return state => {
    if (state.phase.kind === 'blocked') {
      return EXIT.failed;
    }
    const turn = state.turns.find(candidate => candidate.number === number);
    // A turn that was cut off goes on as the next one.
    if (turn?.agent?.outcome === 'failed' && (state.recovering || wentOn(state, number))) {
      return turnIsOver(number + 1)(state);
    }
    if (!turn?.checkpoint) {
      return undefined;
    }
    return turn.agent?.outcome === 'completed' ? EXIT.ok : EXIT.failed;
  };
}

/** Whether the next turn began without a message: the agent went on with this one. */
function wentOn({ turns }: SessionState, number: number): boolean {
  return turns.find(turn => turn.number === number + 1)?.messageIds.length === 0;
}

function messageIsDone(messageId: string): (state: SessionState) => number | undefined {
  return state => {
    const message = state.items.find(item => item.kind === 'message' && item.id === messageId);
    const turn = message?.kind === 'message' ? message.turn : undefined;
    return turn === undefined ? (state.phase.kind === 'blocked' ? EXIT.failed : undefined) : turnIsOver(turn)(state);
  };
}
