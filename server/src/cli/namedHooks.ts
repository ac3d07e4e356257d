import { readFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { permissionModeSchema } from '../../../protocol/composing.ts';
import { namedHookKindSchema, type Firing, type NamedHook } from '../../../protocol/triggerCalls.ts';
import { amount, count } from './arguments.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import type { Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';
import { isUrl } from './source.ts';

/** What is said of sessions that begin by themselves, for webhooks and for schedules. */
export interface StartFlags {
  repo: string;
  base?: string;
  title?: string;
  promptFile?: string;
  mode: string;
  provider: string;
  model?: string;
  budget?: number;
  perHour: number;
}

/** The options of `StartFlags`. */
export function withStartFlags(command: Command, perHour: number): Command {
  return command
    .requiredOption('--repo <source>', 'local path or URL that its sessions start from')
    .option('--base <ref>', 'what to start from (default: HEAD)')
    .option('--title <text>', 'of its sessions (default: its name)')
    .option('--prompt-file <file>', 'what the agent is told')
    .addOption(
      new Option('--mode <mode>', 'what the agent may do without asking')
        .choices(permissionModeSchema.options)
        .default('autopilot'),
    )
    .option('--provider <id>', 'where the agent works', 'local')
    .option('--model <name>')
    .option('--budget <usd>', 'stop the model of a session after this much money', amount)
    .option('--per-hour <n>', 'begin at most so many sessions in an hour', count, perHour);
}

export function toStart({ repo, base, title, mode, provider, model, budget, perHour }: StartFlags) {
  return {
    source: isUrl(repo) || isAbsolute(repo) ? repo : resolve(repo),
    permissionMode: permissionModeSchema.parse(mode),
    provider,
    maxPerHour: perHour,
    ...(base === undefined ? {} : { base }),
    ...(title === undefined ? {} : { title }),
    ...(model === undefined ? {} : { model }),
    ...(budget === undefined ? {} : { budgetUsd: budget }),
  };
}

/** @throws `invalid_params` when it cannot be read */
export async function readPromptFile(file: string, option = '--prompt-file'): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new SandpiperError('invalid_params', `The file of ${option} cannot be read: ${toError(error).message}.`, {
      hint: 'Give it a file that is there.',
    });
  }
}

/** `add`, `named`, `rotate`, `remove`, `begun` and `again` of `hooks`: webhooks of one's own. */
export function addNamedHooks(hooks: Command, options: ProgramOptions, run: Run): void {
  addAdd(hooks, options, run);
  const withName = (
    name: string,
    description: string,
    work: (connection: Connection, name: string) => Promise<string>,
  ) =>
    hooks
      .command(name)
      .argument('<name>')
      .description(description)
      .action((named: string) =>
        run(() =>
          withConnection(options, async connection => {
            process.stdout.write(await work(connection, named));
            return EXIT.ok;
          }),
        )(),
      );
  hooks
    .command('rotate')
    .argument('<name>')
    .description('Make another secret for a webhook of your own')
    .option('--secret-file <file>', 'take the secret that Sentry made')
    .action((name: string, flags: { secretFile?: string }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          process.stdout.write(secretText(await client.call('hooks.rotate', { name, ...(await givenSecret(flags)) })));
          return EXIT.ok;
        }),
      )(),
    );
  withName('remove', 'Close a webhook of your own', async ({ client }, name) =>
    (await client.call('hooks.remove', { name })).removed ? 'removed\n' : 'there was none\n',
  );
  hooks
    .command('named')
    .description('List the webhooks of your own')
    .option('--json', '', false)
    .action(({ json }: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          for (const hook of (await client.call('hooks.named', {})).hooks) {
            process.stdout.write(json ? `${JSON.stringify(hook)}\n` : `${hookRow(hook)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
  addBegun(hooks, options, run);
}

function addAdd(hooks: Command, options: ProgramOptions, run: Run): void {
  const add = hooks
    .command('add')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .description('Open a webhook of your own that begins sessions, and show its secret, once')
    .addOption(new Option('--kind <kind>', 'who sends').choices(namedHookKindSchema.options).default('generic'))
    .option('--secret-file <file>', 'the client secret of the integration, for Sentry');
  withStartFlags(add, 10).action((name: string, flags: StartFlags & { kind: string; secretFile?: string }) =>
    run(() =>
      withConnection(options, async ({ client }) => {
        const prompt = flags.promptFile === undefined ? undefined : await readPromptFile(flags.promptFile);
        const made = await client.call('hooks.add', {
          ...toStart(flags),
          name,
          kind: namedHookKindSchema.parse(flags.kind),
          ...(prompt === undefined ? {} : { prompt }),
          ...(await givenSecret(flags)),
        });
        process.stdout.write(secretText(made));
        return EXIT.ok;
      }),
    )(),
  );
}

function addBegun(hooks: Command, options: ProgramOptions, run: Run): void {
  hooks
    .command('begun')
    .argument('[name]', 'of a webhook of your own')
    .description('What came to webhooks of your own and by schedules, and the sessions that it began')
    .option('--limit <n>', 'how many', count, 50)
    .option('--json', '', false)
    .action((name: string | undefined, { limit, json }: { limit: number; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const trigger = name === undefined ? {} : { trigger: `hook ${name}` };
          for (const firing of (await client.call('triggers.list', { ...trigger, limit })).firings) {
            process.stdout.write(json ? `${JSON.stringify(firing)}\n` : `${firingRow(firing)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
  hooks
    .command('again')
    .argument('<key>', 'as `hooks begun` shows it')
    .description('Try again to begin what was given up')
    .action((firing: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const { retried } = await client.call('triggers.retry', { firing });
          process.stdout.write(retried ? 'trying again\n' : 'nothing to try again\n');
          return EXIT.ok;
        }),
      )(),
    );
}

async function givenSecret({ secretFile }: { secretFile?: string }): Promise<{ secret?: string }> {
  return secretFile === undefined ? {} : { secret: (await readPromptFile(secretFile, '--secret-file')).trim() };
}

function secretText({ hook, secret }: { hook: NamedHook; secret?: string | undefined }): string {
  const known = secret === undefined ? '' : `secret ${secret}\n`;
  return `${known}send application/json to ${hook.path} of the public address of this relay\n`;
}

function hookRow({ name, path, source, permissionMode, provider, maxPerHour }: NamedHook): string {
  return plain(`${name}  ${path}  ${source}  ${permissionMode}  ${provider}  at most ${maxPerHour} an hour`);
}

export function firingRow({ key, at, state, sessionId, attempts, reason }: Firing): string {
  const tries = attempts > 1 ? `  ${attempts} attempts` : '';
  const why = reason === undefined ? '' : `  ${reason}`;
  return plain(`${new Date(at).toISOString()}  "${key}"  ${state}  ${sessionId ?? ''}${tries}${why}`);
}
