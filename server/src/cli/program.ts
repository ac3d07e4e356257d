import { resolve } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { summaryText } from '../../../protocol/activity.ts';
import { errorText, SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { fitsFilter, parseFilter } from '../../../protocol/sessionFilter.ts';
import { VERSION } from '../core/config.ts';
import { addApply } from './apply.ts';
import { addAway } from './away.ts';
import { addBackup } from './backup.ts';
import { addChaos } from './chaos.ts';
import { portNumber } from './arguments.ts';
import { addDeletedSessions, addGc, printDeleted } from './deletedSessions.ts';
import { noRelay, tokenOfSession, withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession, listSessions } from './connection.ts';
import { addCheckpoints } from './checkpoints.ts';
import { deepDoctor } from './deepDoctor.ts';
import { EXIT } from './exitCodes.ts';
import { printLog } from './follow.ts';
import { addHooks } from './hooks.ts';
import { addImport } from './import.ts';
import { addImage } from './image.ts';
import { addLabels } from './labels.ts';
import { addLanding } from './landing.ts';
import { addLogin } from './login.ts';
import { addMcp } from './mcp.ts';
import { createStyle, plain } from './render.ts';
import { addPolicy } from './policy.ts';
import { addReview } from './review.ts';
import { addRules } from './rules.ts';
import { addMove } from './move.ts';
import { addNetwork } from './network.ts';
import { addExport, addSearch } from './search.ts';
import { addRun, addSend, follow } from './running.ts';
import { addSample } from './sample.ts';
import { addSchedules } from './schedules.ts';
import { sessionDoctor } from './sessionDoctor.ts';
import { addSettings } from './settings.ts';
import { addSpec } from './spec.ts';

/** Runs `sandpiper` with these arguments. Returns the exit code. */
export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<number> {
  let code: number = EXIT.ok;
  const command = new Command('sandpiper')
    .description('Hand work to Claude Code in an isolated sandbox, watch it, review it, land it.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('Run `sandpiper --help` for the commands.');
  const run = (action: () => Promise<number>) => async () => {
    code = await action();
  };
  addServe(command, options, run);
  addRun(command, options, run);
  addSessions(command, options, run);
  addSend(command, options, run);
  addAway(command, options, run);
  addLabels(command, options, run);
  addDeletedSessions(command, options, run);
  addGc(command, options, run);
  addRecover(command, options, run);
  addCheckpoints(command, options, run);
  addMove(command, options, run);
  addLanding(command, options, run);
  addPolicy(command, options, run);
  addReview(command, options, run);
  addImport(command, options, run);
  addSample(command, options, run);
  addRules(command, options, run);
  addSearch(command, options, run);
  addExport(command, options, run);
  addSettings(command, options, run);
  addNetwork(command, options, run);
  addLogin(command, options, run);
  addHooks(command, options, run);
  addSchedules(command, options, run);
  addSpec(command, options, run);
  addApply(command, options, run);
  addDoctor(command, options, run);
  addImage(command, options, run);
  addMcp(command, options, run);
  addBackup(command, options, run);
  addChaos(command, options, run);
  try {
    await command.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return report(error, args.includes('--json'));
  }
}

function addServe(command: Command, options: ProgramOptions, run: Run): void {
  const serve = command
    .command('serve')
    .description('Run the relay in the foreground; a second one finds the first')
    .option('--host <host>', 'address to listen on', options.config.host)
    .addOption(
      new Option('--port <port>', 'port, 0 lets the system choose').default(options.config.port).argParser(portNumber),
    )
    .option('--data <folder>', 'data folder', options.config.dataFolder)
    .option('--replace', 'take the place of the relay that runs, unless it is newer; agents work on', false);
  serve.action((flags: { host: string; port: number; data: string; replace: boolean }) =>
    run(() =>
      options
        .serve(
          { ...options.config, host: flags.host, port: flags.port, dataFolder: resolve(flags.data) },
          { replace: flags.replace },
        )
        .catch(noRelay),
    )(),
  );
}

function addSessions(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('sessions')
    .description('List sessions')
    .option('--archived', 'the archived ones', false)
    .option('--filter <text>', 'words of the title, tag:name, repo:name, state:ready, is:pinned', '')
    .option('--deleted', 'those that can be restored, and until when', false)
    .option('--json', '', false)
    .action((flags: { archived: boolean; filter: string; deleted: boolean; json: boolean }) =>
      run(() =>
        withConnection(options, async connection => {
          const { client } = connection;
          if (flags.deleted) {
            return printDeleted(connection, flags.json);
          }
          for (const session of filtered(await listSessions(client, flags.archived), flags.filter)) {
            process.stdout.write(flags.json ? `${JSON.stringify(session)}\n` : `${sessionRow(session)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
  command
    .command('logs')
    .argument('<session>', 'id, or the end of one')
    .description('Print the log of a session')
    .option('-f, --follow', 'go on with what happens', false)
    .option('--json', 'events as JSON lines', false)
    .action((session: string, flags: { follow: boolean; json: boolean }) =>
      run(() =>
        withConnection(options, async connection => {
          const sessionId = await findSession(connection.client, session);
          if (flags.follow) {
            return follow(connection, sessionId, flags.json, () => undefined, 'show');
          }
          const style = createStyle(process.stdout.isTTY && !flags.json);
          await printLog({ client: connection.client, sessionId, json: flags.json, style });
          return EXIT.ok;
        }),
      )(),
    );
  command
    .command('stop')
    .argument('<session>', 'id, or the end of one')
    .description('Stop the turn of a session')
    .action((session: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const { stopping } = await client.call('session.stop', { sessionId });
          process.stdout.write(stopping ? 'stopping\n' : 'nothing was running\n');
          return EXIT.ok;
        }),
      )(),
    );
}

/** @throws `invalid_params` when a part of the filter says nothing */
function filtered(sessions: readonly SessionSummary[], text: string): SessionSummary[] {
  const filter = parseFilter(text);
  if (filter.problems[0] !== undefined) {
    throw new SandpiperError('invalid_params', filter.problems[0]);
  }
  return sessions
    .filter(summary => fitsFilter(summary, filter))
    .sort((one, other) => Number(other.pinned ?? false) - Number(one.pinned ?? false));
}

function sessionRow(session: SessionSummary): string {
  const doing = plain(summaryText(session, Date.now())).padEnd(24).slice(0, 40);
  const marks = [...(session.pinned === true ? ['pinned'] : []), ...(session.tags ?? []).map(tag => `#${tag}`)];
  return [session.id, doing, plain(session.repository.name), plain(session.title), ...marks].join('  ');
}

function addRecover(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('recover')
    .alias('retry')
    .argument('<session>', 'id, or the end of one')
    .description('Go on with a session that is blocked or stuck, or whose turn was cut off')
    .action((session: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const { recovering } = await client.call('session.retry', {
            sessionId,
            ...(await tokenOfSession(options, client, sessionId)),
          });
          process.stdout.write(recovering ? 'recovering\n' : 'nothing to recover\n');
          return EXIT.ok;
        }),
      )(),
    );
}

function addDoctor(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('doctor')
    .description('Check everything that a session needs')
    .option('--deep', 'compare everything in the data folder with everything else', false)
    .option('--repair', 'with --deep: make anew what is derived from the log; the relay must be stopped', false)
    .option('--session <id>', 'search the live sandbox of a session for everything that the relay holds')
    .option('--json', '', false)
    .action((flags: { deep: boolean; repair: boolean; json: boolean; session?: string }) =>
      run(() => {
        const { session } = flags;
        if (session !== undefined) {
          return withConnection(options, ({ client }) => sessionDoctor(client, session, flags.json));
        }
        if (flags.deep || flags.repair) {
          return deepDoctor(options, flags);
        }
        return withConnection(options, async ({ client }) => {
          const { checks } = await client.call('relay.checks', {});
          const style = createStyle(process.stdout.isTTY);
          const marks = { ok: style.green('ok     '), warning: style.yellow('warning'), failed: style.red('failed ') };
          for (const check of checks) {
            const hint = check.hint === undefined ? '' : `\n        ${check.hint}`;
            process.stdout.write(
              flags.json
                ? `${JSON.stringify(check)}\n`
                : `${marks[check.status]} ${check.name}: ${check.detail}${hint}\n`,
            );
          }
          return checks.some(check => check.status === 'failed') ? EXIT.failed : EXIT.ok;
        });
      })(),
    );
}

function report(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has printed it; help and version are no errors.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  const failure = toSandpiperError(error);
  process.stderr.write(
    json
      ? `${JSON.stringify({ error: { message: failure.message, ...failure.toWire() } })}\n`
      : `${errorText(failure)}\n`,
  );
  return EXIT.failed;
}
