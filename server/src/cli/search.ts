import { writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { exportSession, type ExportFormat } from '../../../client/link/exportSession.ts';
import type { CallResult } from '../../../protocol/calls.ts';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { amountOfHits } from './arguments.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { createStyle, plain } from './render.ts';

/** The first search of a relay with many sessions reads all of their logs. */
const SEARCH_TIMEOUT_MS = 10 * 60_000;

/** `search`. */
export function addSearch(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('search')
    .argument('<words...>', 'all of them must stand in one text; "in quotes" they are one')
    .description('Find text in all sessions, newest first')
    .option('--limit <n>', 'at most so many', amountOfHits, 20)
    .option('--no-archived', 'leave archived sessions out')
    .option('--json', '', false)
    .action((words: string[], flags: { limit: number; archived: boolean; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const query = words.map(word => (/\s/.test(word) ? `"${word.replaceAll('"', '')}"` : word)).join(' ');
          const { limit, archived } = flags;
          const found = await client.call(
            'session.search',
            { query, limit, archived },
            { timeoutMs: SEARCH_TIMEOUT_MS },
          );
          print(found, flags.json);
          return EXIT.ok;
        }),
      )(),
    );
}

function print({ hits, more }: CallResult<'session.search'>, json: boolean): void {
  if (json) {
    hits.forEach(hit => process.stdout.write(`${JSON.stringify(hit)}\n`));
    return;
  }
  if (hits.length === 0) {
    process.stderr.write('Nothing found.\n');
    return;
  }
  const style = createStyle(process.stdout.isTTY);
  let session = '';
  for (const { sessionId, title, kind, at, snippet } of hits) {
    if (sessionId !== session) {
      session = sessionId;
      process.stdout.write(`${style.bold(plain(title))} ${style.dim(sessionId)}\n`);
    }
    process.stdout.write(
      `  ${style.dim(`${new Date(at).toISOString().slice(0, 16)} ${kind}`)} ${plain(snippet.text)}\n`,
    );
  }
  if (more) {
    process.stderr.write('There is more: use --limit, or more words.\n');
  }
}

/** `export`. */
export function addExport(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('export')
    .argument('<session>', 'id, or the end of one')
    .description('Write all of a session into one document')
    .addOption(
      new Option('--format <format>', 'markdown for people, json for programs')
        .choices(['markdown', 'json'])
        .default('markdown'),
    )
    .option('--output <file>', 'a file that does not exist yet (default: standard output)')
    .action((session: string, { format, output }: { format: ExportFormat; output?: string }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const { text } = await exportSession(
            {
              readEvents: (id, after) => client.call('session.events', { sessionId: id, after, limit: 1000 }),
              readBlob: (id, hash, offset) => client.call('blob.read', { sessionId: id, hash, offset }),
            },
            sessionId,
            format,
          );
          if (output === undefined) {
            process.stdout.write(text);
          } else {
            await writeNew(output, text);
            process.stderr.write(`Wrote ${output}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw exists
      ? new SandpiperError('conflict', `${file} is there already.`, { hint: 'Name another file, or remove that one.' })
      : new SandpiperError('unavailable', `${file} cannot be written: ${toError(error).message}.`);
  }
}
