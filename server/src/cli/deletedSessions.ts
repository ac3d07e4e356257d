import type { Command } from 'commander';
import type { RelayClient } from '../../../client/relayClient.ts';
import type { CallResult } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession, type Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

/** `delete` and `restore`. */
export function addDeletedSessions(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('delete')
    .argument('<session>', 'id, or the end of one')
    .description('Delete a session; it can be restored for some time')
    .option('--force', 'also when what is in its sandbox cannot be saved', false)
    .option('--json', '', false)
    .action((session: string, { force, json }: { force: boolean; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          // What is saved may be large; the call is repeated with its key when the relay restarts meanwhile.
          const deleted = await client.call('session.delete', { sessionId, force }, { timeoutMs: DELETE_TIMEOUT_MS });
          process.stdout.write(
            json
              ? `${JSON.stringify({ sessionId, ...deleted })}\n`
              : `deleted ${sessionId}\nUntil ${day(deleted.restorableUntil)} this brings it back: sandpiper restore ${sessionId}\n`,
          );
          if (!json) {
            deleted.missing.forEach(text => process.stderr.write(`Not saved: ${plain(text)}\n`));
          }
          return EXIT.ok;
        }),
      )(),
    );
  command
    .command('restore')
    .argument('<session>', 'id of a deleted session, or the end of one')
    .description('Bring a deleted session back')
    .option('--json', '', false)
    .action((session: string, { json }: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findDeleted(client, session);
          const restored = await client.call('session.restore', { sessionId }, { timeoutMs: DELETE_TIMEOUT_MS });
          process.stdout.write(json ? `${JSON.stringify({ sessionId, ...restored })}\n` : `restored ${sessionId}\n`);
          return EXIT.ok;
        }),
      )(),
    );
}

/** `gc`. */
export function addGc(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('gc')
    .description('Remove what nobody needs any more')
    .option('--dry-run', 'only say what', false)
    .option('--json', '', false)
    .action(({ dryRun, json }: { dryRun: boolean; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const collected = await client.call('relay.collect', { dryRun }, { timeoutMs: DELETE_TIMEOUT_MS });
          if (json) {
            process.stdout.write(`${JSON.stringify(collected)}\n`);
          } else {
            collected.removed.forEach(({ kind, name, bytes, why }) =>
              process.stdout.write(`${kind.padEnd(10)} ${megabytes(bytes).padStart(9)}  ${plain(name)}  ${why}\n`),
            );
            const verb = dryRun ? 'would be freed' : 'freed';
            process.stdout.write(`${collected.removed.length} things, ${megabytes(collected.freedBytes)} ${verb}\n`);
          }
          collected.problems.forEach(problem => process.stderr.write(`${plain(problem)}\n`));
          return collected.problems.length > 0 ? EXIT.failed : EXIT.ok;
        }),
      )(),
    );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

const DELETE_TIMEOUT_MS = 20 * 60_000;

/** `sessions --deleted`. */
export async function printDeleted({ client }: Connection, json: boolean): Promise<number> {
  const { sessions, damaged } = await client.call('session.listDeleted', {});
  for (const deleted of sessions) {
    process.stdout.write(json ? `${JSON.stringify(deleted)}\n` : `${row(deleted)}\n`);
  }
  damaged.forEach(name => process.stderr.write(`The archive of ${plain(name)} is damaged and cannot be restored.\n`));
  return damaged.length > 0 ? EXIT.failed : EXIT.ok;
}

function row({ summary, restorableUntil, bytes }: CallResult<'session.listDeleted'>['sessions'][number]): string {
  return `${summary.id}  until ${day(restorableUntil)}  ${megabytes(bytes).padStart(9)}  ${plain(summary.repository.name)}  ${plain(summary.title)}`;
}

/** @throws not_found */
async function findDeleted(client: RelayClient, text: string): Promise<string> {
  if (/^ses_[0-9a-z]{26}$/.test(text)) {
    return text;
  }
  const { sessions } = await client.call('session.listDeleted', {});
  const [id, ...others] = sessions.map(({ summary }) => summary.id).filter(candidate => candidate.endsWith(text));
  if (id === undefined || others.length > 0) {
    throw new SandpiperError(
      'not_found',
      `${others.length > 0 ? 'Several deleted sessions end' : 'No deleted session ends'} with "${text}".`,
      { hint: 'Run `sandpiper sessions --deleted` to see their ids.' },
    );
  }
  return id;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
