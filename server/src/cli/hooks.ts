import { isAbsolute, resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CallResult } from '../../../protocol/calls.ts';
import { permissionModeSchema } from '../../../protocol/events.ts';
import { hookForgeSchema, hookTriggerSchema, type HookForge, type HookTrigger } from '../../../protocol/hookCalls.ts';
import { amount } from './arguments.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { EXIT } from './exitCodes.ts';
import { addNamedHooks } from './namedHooks.ts';
import { plain } from './render.ts';
import { isUrl } from './source.ts';

/** `hooks` with its commands: what forges may begin, and what they have. */
export function addHooks(command: Command, options: ProgramOptions, run: Run): void {
  const hooks = command
    .command('hooks')
    .description('Have issues, comments, reviews, failed checks and webhooks of your own begin work');
  addSecret(hooks, options, run);
  addConnections(hooks, options, run);
  addDeliveries(hooks, options, run);
  addNamedHooks(hooks, options, run);
}

function addSecret(hooks: Command, options: ProgramOptions, run: Run): void {
  hooks
    .command('secret')
    .description('Show the secret that webhooks are signed with; makes it, and with it the address for webhooks')
    .addOption(
      new Option('--forge <kind>', 'whose webhooks')
        .choices(hookForgeSchema.options)
        .default(hookForgeSchema.enum.github),
    )
    .option('--rotate', 'make another one', false)
    .option('--json', '', false)
    .action((flags: { forge: HookForge; rotate: boolean; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const made = await client.call('hooks.secret', { forge: flags.forge, rotate: flags.rotate });
          const signing = made.signingToken === undefined ? '' : `signing token ${made.signingToken}\n`;
          process.stdout.write(
            flags.json
              ? `${JSON.stringify(made)}\n`
              : `secret ${made.secret}\n${signing}send application/json to ${made.path} of the public address of this relay\n`,
          );
          return EXIT.ok;
        }),
      )(),
    );
}

interface ConnectFlags {
  source: string;
  base?: string;
  label: string;
  trigger: HookTrigger[];
  budget?: number;
  repairs: number;
  permissions: string;
  provider: string;
  model?: string;
}

function addConnections(hooks: Command, options: ProgramOptions, run: Run): void {
  hooks
    .command('connect')
    .argument('<repository>', 'owner/name, or host/owner/name')
    .requiredOption('--source <source>', 'local path or URL that its sessions start from')
    .description('Let webhooks of a repository begin sessions')
    .option('--base <branch>', 'the branch to start from (default: the default branch)')
    .option('--label <label>', 'an issue that is given this label begins a session', 'sandpiper')
    .addOption(
      new Option('--trigger <kind>', `one of ${hookTriggerSchema.options.join(', ')}; may be repeated (default: all)`)
        .argParser(oneMoreTrigger)
        .default([]),
    )
    .option('--budget <usd>', 'stop the model of a session after this much money', amount)
    .option('--repairs <n>', 'turns in a row for failed checks', wholeNumber, 3)
    .addOption(
      new Option('--permissions <mode>', 'what the agent may do without asking')
        .choices(permissionModeSchema.options)
        .default('autopilot'),
    )
    .option('--provider <id>', 'where the agent works', 'local')
    .option('--model <name>')
    .action((repository: string, flags: ConnectFlags) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const { source, base, label, trigger, budget, repairs, permissions, provider, model } = flags;
          const { connection } = await client.call('hooks.connect', {
            repository,
            source: isUrl(source) || isAbsolute(source) ? source : resolve(source),
            label,
            ...(trigger.length === 0 ? {} : { triggers: trigger }),
            maxRepairs: repairs,
            permissionMode: permissionModeSchema.parse(permissions),
            provider,
            ...(base === undefined ? {} : { base }),
            ...(budget === undefined ? {} : { budgetUsd: budget }),
            ...(model === undefined ? {} : { model }),
          });
          process.stdout.write(`${connectionRow(connection)}\n`);
          return EXIT.ok;
        }),
      )(),
    );
  hooks
    .command('disconnect')
    .argument('<repository>', 'owner/name, or host/owner/name')
    .description('Let webhooks of a repository begin nothing any more')
    .action((repository: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const { removed } = await client.call('hooks.disconnect', { repository });
          process.stdout.write(removed ? 'disconnected\n' : 'it was not connected\n');
          return EXIT.ok;
        }),
      )(),
    );
  hooks
    .command('connections')
    .description('List the repositories that are connected')
    .option('--json', '', false)
    .action(({ json }: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          for (const connection of (await client.call('hooks.connections', {})).connections) {
            process.stdout.write(json ? `${JSON.stringify(connection)}\n` : `${connectionRow(connection)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
}

function addDeliveries(hooks: Command, options: ProgramOptions, run: Run): void {
  hooks
    .command('list')
    .description('What came by webhooks, and what is done about it')
    .addOption(new Option('--state <state>', 'only these').choices(['waiting', 'done', 'ignored', 'dead']))
    .option('--limit <n>', 'how many', wholeNumber, 50)
    .option('--json', '', false)
    .action((flags: { state?: 'waiting' | 'done' | 'ignored' | 'dead'; limit: number; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const { state, limit } = flags;
          const found = await client.call('hooks.list', { limit, ...(state === undefined ? {} : { state }) });
          if (flags.json) {
            process.stdout.write(`${JSON.stringify(found)}\n`);
            return EXIT.ok;
          }
          for (const delivery of found.deliveries) {
            process.stdout.write(`${deliveryRow(delivery)}\n`);
          }
          for (const request of found.requests.filter(one => one.state !== 'done')) {
            process.stdout.write(`${requestRow(request)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
  hooks
    .command('show')
    .argument('<id>', 'of a delivery, or the key of a request')
    .description('One delivery, its payload while it is kept, and what it asked for; as JSON')
    .action((id: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          process.stdout.write(`${JSON.stringify(await client.call('hooks.show', { id }), null, 2)}\n`);
          return EXIT.ok;
        }),
      )(),
    );
  hooks
    .command('retry')
    .argument('<id>', 'of a delivery, or the key of a request')
    .description('Try again what was given up')
    .action((id: string) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const { retried } = await client.call('hooks.retry', { id });
          process.stdout.write(retried ? 'trying again\n' : 'nothing to try again\n');
          return EXIT.ok;
        }),
      )(),
    );
}

type Found = CallResult<'hooks.list'>;

function deliveryRow({ id, event, action, repository, at, state, reason }: Found['deliveries'][number]): string {
  const what = action === undefined ? event : `${event}.${action}`;
  const why = reason === undefined ? '' : `  ${reason}`;
  return plain(`${new Date(at).toISOString()}  ${id}  ${state.padEnd(7)}  ${what}  ${repository ?? ''}${why}`);
}

function requestRow({ key, state, stage, sessionId, attempts, reason }: Found['requests'][number]): string {
  const tries = attempts === 0 ? '' : `  ${attempts} failed attempts`;
  const why = reason === undefined ? '' : `  ${reason}`;
  return plain(`${state === 'dead' ? 'given up' : stage}  "${key}"  ${sessionId ?? ''}${tries}${why}`);
}

function connectionRow(connection: CallResult<'hooks.connections'>['connections'][number]): string {
  const { repository, source, triggers, label, budgetUsd, permissionMode, provider } = connection;
  const budget = budgetUsd === undefined ? '' : `  $${budgetUsd}`;
  return plain(
    `${repository}  ${source}  ${triggers.join(',')}  label "${label}"  ${permissionMode}  ${provider}${budget}`,
  );
}

function oneMoreTrigger(text: string, before: HookTrigger[]): HookTrigger[] {
  const { data } = hookTriggerSchema.safeParse(text);
  if (data === undefined) {
    throw new InvalidArgumentError(`It is one of ${hookTriggerSchema.options.join(', ')}.`);
  }
  return [...before, data];
}

function wholeNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text)) {
    throw new InvalidArgumentError('It is a whole number.');
  }
  return Number(text);
}
