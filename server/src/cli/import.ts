import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { SandpiperError } from '../../../protocol/errors.ts';
import { permissionModeSchema } from '../../../protocol/events.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import type { Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { readImageFiles } from './imageFiles.ts';
import { several } from './network.ts';
import { plain } from './render.ts';

interface ImportFlags {
  preview: boolean;
  repo?: string;
  base?: string;
  uncommitted: boolean;
  prompt?: string;
  image: string[];
  provider: string;
  permissions: string;
  acceptNoIsolation: boolean;
  json: boolean;
}

/** `import`. */
export function addImport(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('import')
    .argument('[conversation]', 'id, or the beginning of one; without it all are listed')
    .description('List your own Claude Code conversations on this machine, read one, or go on with it in a sandbox')
    .option('--preview', 'only print what was said', false)
    .option('--repo <source>', 'where to go on (default: the folder of the conversation)')
    .option('--base <rev>', 'commit, branch or tag to start from (default: the branch of the conversation)')
    .option('--uncommitted', 'take uncommitted and untracked files along', false)
    .option('--prompt <text>', 'what to do next; without it the session waits')
    .option('--image <file>', 'an image for the agent to look at; may be repeated', several, [])
    .option('--provider <id>', 'where the agent works', 'local')
    .addOption(
      new Option('--permissions <mode>', 'what the agent may do without asking')
        .choices(permissionModeSchema.options)
        .default('ask'),
    )
    .option('--accept-no-isolation', 'agree that the agent runs with your rights, where nothing can isolate it', false)
    .option('--json', '', false)
    .action((conversation: string | undefined, flags: ImportFlags) =>
      run(() =>
        withConnection(options, async connection => {
          if (conversation === undefined) {
            return list(connection, flags.json);
          }
          const id = await find(connection, conversation);
          return flags.preview ? preview(connection, id, flags.json) : start(connection, id, flags);
        }),
      )(),
    );
}

async function list({ client }: Connection, json: boolean): Promise<number> {
  for (const each of (await client.call('import.list', {})).conversations) {
    const size = `${(each.bytes / 1024).toFixed(0)} KB`;
    const where = `${each.folder}${each.branch === undefined ? '' : ` (${each.branch})`}`;
    process.stdout.write(
      json
        ? `${JSON.stringify(each)}\n`
        : `${each.id}  ${new Date(each.updatedAt).toISOString().slice(0, 16)}  ${size.padStart(8)}  ${plain(where)}  ${plain(each.title)}\n`,
    );
  }
  return EXIT.ok;
}

async function preview({ client }: Connection, id: string, json: boolean): Promise<number> {
  const shown = await client.call('import.preview', { id });
  process.stdout.write(json ? `${JSON.stringify(shown)}\n` : `${plain(shown.text)}\n`);
  if (shown.skipped > 0) {
    process.stderr.write(`${shown.skipped} lines could not be read.\n`);
  }
  return EXIT.ok;
}

async function start({ client }: Connection, id: string, flags: ImportFlags): Promise<number> {
  const images = await readImageFiles(flags.image);
  const started = await client.call('import.start', {
    id,
    ...(flags.repo === undefined ? {} : { source: resolve(flags.repo) }),
    ...(flags.base === undefined ? {} : { base: flags.base }),
    ...(flags.prompt === undefined ? {} : { prompt: flags.prompt }),
    ...(images.length === 0 ? {} : { images }),
    includeUncommitted: flags.uncommitted,
    provider: flags.provider,
    acceptNoIsolation: flags.acceptNoIsolation,
    permissionMode: permissionModeSchema.parse(flags.permissions),
  });
  process.stdout.write(flags.json ? `${JSON.stringify(started)}\n` : `session ${started.sessionId}\n`);
  return EXIT.ok;
}

/** @throws `not_found` */
async function find({ client }: Connection, text: string): Promise<string> {
  if (/^[0-9a-f-]{36}$/.test(text)) {
    return text;
  }
  const ids = (await client.call('import.list', {})).conversations
    .map(({ id }) => id)
    .filter(id => id.startsWith(text));
  const [id] = ids;
  if (id === undefined || ids.length > 1) {
    throw new SandpiperError(
      'not_found',
      `${ids.length > 1 ? 'Several conversations begin' : 'No conversation begins'} with "${text}".`,
      { hint: 'Run `sandpiper import` to see them.' },
    );
  }
  return id;
}
