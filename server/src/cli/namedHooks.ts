import { Option, type Command } from 'commander';
import { namedHookKindSchema, type Firing, type NamedHook } from '../../../protocol/triggerCalls.ts';
import { count } from './arguments.ts';
import { commandsOnNamed, readPromptFile, toStart, withStartFlags, type StartFlags } from './begunByItself.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

/** `add`, `named`, `rotate`, `remove`, `begun` and `again` of `hooks`: webhooks of one's own. */
export function addNamedHooks(hooks: Command, options: ProgramOptions, run: Run): void {
  addAdd(hooks, options, run);
  const withName = commandsOnNamed(hooks, options, run);
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
