import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { RelayClient } from '../../../client/relayClient.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { permissionModeSchema } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { SpecDocument } from '../../../protocol/specCalls.ts';
import { SPEC_TEMPLATES, STACKS } from '../../../protocol/specTemplates.ts';
import { progressOf, progressText, type SpecWork } from '../../../protocol/specWork.ts';
import { amount, count } from './arguments.ts';
import { tokenOf, withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { followSession } from './follow.ts';
import { createStyle, plain } from './render.ts';
import { isUrl } from './source.ts';
import { printChecks } from './specChecks.ts';
import { addExtraction } from './specExtraction.ts';
import { edited, newText, readText } from './specTexts.ts';

/** `spec list|new|show|edit|check|build`. */
export function addSpec(command: Command, options: ProgramOptions, run: Run): void {
  const spec = command.command('spec').description('Write down what is to be built and by which checks it is done');
  addReading(spec, options, run);
  addWriting(spec, options, run);
  addExtraction(spec, options, run);
  addWork(spec, options, run);
}

function addReading(spec: Command, options: ProgramOptions, run: Run): void {
  spec
    .command('list')
    .description('List specs')
    .option('--templates', 'what a spec can begin with', false)
    .option('--removed', 'those that were taken out of the list', false)
    .option('--json', '', false)
    .action((flags: { templates: boolean; removed: boolean; json: boolean }) =>
      run(() => {
        if (flags.templates) {
          const lines = SPEC_TEMPLATES.map(({ id, name, about }) => `${id.padEnd(12)} ${name}: ${about}\n`);
          process.stdout.write(lines.join(''));
          return Promise.resolve(EXIT.ok);
        }
        return withConnection(options, async ({ client }) => {
          const { specs } = await client.call('spec.list', { removed: flags.removed });
          for (const one of specs) {
            process.stdout.write(flags.json ? `${JSON.stringify(one)}\n` : `${lineOf(one)}\n`);
          }
          return EXIT.ok;
        });
      })(),
    );
  spec
    .command('show')
    .argument('<spec>', 'id, or the end of one')
    .option('--revision <number>', 'an earlier one', count)
    .option('--json', 'with the sessions that it was built in', false)
    .description('Print a spec as Markdown')
    .action((id: string, flags: { revision?: number; json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const specId = await findSpec(client, id);
          const { revision } = flags;
          const found = await client.call('spec.get', { specId, ...(revision === undefined ? {} : { revision }) });
          process.stdout.write(flags.json ? `${JSON.stringify(found)}\n` : found.text);
          return EXIT.ok;
        }),
      )(),
    );
}

function addWriting(spec: Command, options: ProgramOptions, run: Run): void {
  spec
    .command('new')
    .argument('[file]', 'a Markdown file; - reads what comes in')
    .description('Make a spec from a file or from a template')
    .addOption(new Option('--template <id>', 'see `spec list --templates`').choices(SPEC_TEMPLATES.map(({ id }) => id)))
    .addOption(
      new Option('--stack <id>', 'whose commands a template names').choices(Object.keys(STACKS)).default('node'),
    )
    .option('--json', '', false)
    .action((file: string | undefined, flags: { template?: string; stack: string; json: boolean }) =>
      run(async () => {
        const text = await newText(file, flags);
        return withConnection(options, async ({ client }) => {
          const made = await client.call('spec.create', { text });
          process.stdout.write(flags.json ? `${JSON.stringify(made)}\n` : `${made.specId}\n`);
          return EXIT.ok;
        });
      })(),
    );
  spec
    .command('edit')
    .argument('<spec>', 'id, or the end of one')
    .argument('[file]', 'the new text; without it $EDITOR is opened; - reads what comes in')
    .description('Write the next revision of a spec')
    .action((id: string, file: string | undefined) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const specId = await findSpec(client, id);
          const { revision, text } = await client.call('spec.get', { specId });
          const next = file === undefined ? await edited(text, options) : await readText(file);
          const saved = await client.call('spec.save', { specId, expectedRevision: revision, text: next });
          process.stdout.write(saved.revision === revision ? 'nothing changed\n' : `revision ${saved.revision}\n`);
          printProblems(saved);
          return EXIT.ok;
        }),
      )(),
    );
  spec
    .command('remove')
    .argument('<spec>', 'id, or the end of one')
    .description('Take a spec out of the list; nothing of it is lost')
    .option('--undo', 'put it back', false)
    .action((id: string, flags: { undo: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          await client.call('spec.remove', { specId: await findSpec(client, id), removed: !flags.undo });
          process.stdout.write(flags.undo ? 'put back\n' : 'removed\n');
          return EXIT.ok;
        }),
      )(),
    );
}

interface BuildFlags {
  session?: string;
  repo: string;
  base?: string;
  uncommitted: boolean;
  turns: number;
  cost?: number;
  minutes?: number;
  stuckAfter: number;
  model?: string;
  provider: string;
  permissions: string;
  acceptNoIsolation: boolean;
  detach: boolean;
  json: boolean;
}

function addWork(spec: Command, options: ProgramOptions, run: Run): void {
  spec
    .command('check')
    .argument('<spec>', 'id, or the end of one')
    .argument('<session>', 'id, or the end of one')
    .description('Run the checks of a spec once, on what a session made')
    .option('--json', 'events as JSON lines', false)
    .action((id: string, session: string, flags: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const specId = await findSpec(client, id);
          const sessionId = await findSession(client, session);
          const { seq } = await client.call('spec.check', { specId, sessionId });
          return followWork(client, sessionId, flags.json, seq);
        }),
      )(),
    );
  spec
    .command('build')
    .argument('<spec>', 'id, or the end of one')
    .description('Have an agent build a spec, turn after turn until its checks pass')
    .option('--session <session>', 'go on in this session; otherwise a new one begins')
    .option('--repo <source>', 'local path or URL of the repository', '.')
    .option('--base <rev>', 'commit, branch or tag to start from (default: HEAD)')
    .option('--uncommitted', 'take uncommitted and untracked files along', false)
    .option('--turns <number>', 'at most so many turns', count, 10)
    .option('--cost <usd>', 'no further turn after this much money', amount)
    .option('--minutes <number>', 'no further turn after this time', count)
    .option('--stuck-after <number>', 'so many turns in which no check changed', count, 3)
    .option('--model <name>')
    .option('--provider <id>', 'where the agent works: local, docker', 'local')
    .addOption(
      new Option('--permissions <mode>', 'what the agent may do without asking')
        .choices(permissionModeSchema.options)
        .default('autopilot'),
    )
    .option('--accept-no-isolation', 'agree that the agent runs with your rights, where nothing can isolate it', false)
    .option('--detach', 'do not follow', false)
    .option('--json', 'events as JSON lines', false)
    .action((id: string, flags: BuildFlags) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const specId = await findSpec(client, id);
          const { sessionId, seq } = await build(client, specId, flags, options);
          process.stdout.write(flags.json ? `${JSON.stringify({ sessionId, seq })}\n` : `session ${sessionId}\n`);
          return flags.detach ? EXIT.ok : followWork(client, sessionId, flags.json, seq);
        }),
      )(),
    );
}

async function build(
  client: RelayClient,
  specId: string,
  flags: BuildFlags,
  options: ProgramOptions,
): Promise<{ sessionId: string; seq: number }> {
  const budget = {
    maxTurns: flags.turns,
    stuckAfter: flags.stuckAfter,
    ...(flags.cost === undefined ? {} : { maxCostUsd: flags.cost }),
    ...(flags.minutes === undefined ? {} : { maxMinutes: flags.minutes }),
  };
  if (flags.session !== undefined) {
    const sessionId = await findSession(client, flags.session);
    return { sessionId, seq: (await client.call('spec.build', { sessionId, specId, budget })).seq };
  }
  const remote = isUrl(flags.repo);
  return client.call('session.create', {
    source: remote ? flags.repo : resolve(flags.repo),
    ...(remote ? tokenOf(options, flags.repo) : {}),
    prompt: '',
    spec: { specId, budget },
    includeUncommitted: flags.uncommitted,
    provider: flags.provider,
    acceptNoIsolation: flags.acceptNoIsolation,
    permissionMode: permissionModeSchema.parse(flags.permissions),
    ...(flags.base === undefined ? {} : { base: flags.base }),
    ...(flags.model === undefined ? {} : { model: flags.model }),
  });
}

/** Follows what was begun at this seq to its end, then says how each check came out. */
async function followWork(client: RelayClient, sessionId: string, json: boolean, seq: number): Promise<number> {
  const style = createStyle(process.stdout.isTTY && !json);
  let last: SpecWork | undefined;
  const code = await followSession({
    client,
    sessionId,
    json,
    style,
    onQuestion: process.stdin.isTTY && !json ? 'ask' : 'end',
    until: state => {
      last = state.spec;
      return codeOf(state, seq);
    },
  });
  if (last && !json) {
    printChecks(last, style);
    process.stdout.write(`${progressText(progressOf(last))}\n`);
  }
  return code;
}

function codeOf({ seq, phase, spec }: SessionState, begun: number): number | undefined {
  if (phase.kind === 'blocked') {
    return EXIT.failed;
  }
  return seq < begun || !spec?.ended ? undefined : spec.ended.outcome === 'passed' ? EXIT.ok : EXIT.failed;
}

function lineOf({ specId, revision, title, items, checks, problems }: SpecDocument): string {
  const what = problems.length > 0 ? `line ${problems[0]?.line ?? 1} is wrong` : `${items} items, ${checks} checks`;
  return `${specId}  ${`r${revision}`.padEnd(4)} ${what.padEnd(22)} ${plain(title)}`;
}

function printProblems({ problems }: SpecDocument): void {
  for (const { line, message } of problems) {
    process.stderr.write(`line ${line}: ${plain(message)}\n`);
  }
}

/** @throws `not_found`, `invalid_params` when several end like this */
async function findSpec(client: RelayClient, id: string): Promise<string> {
  if (/^spc_[0-9a-z]{26}$/.test(id)) {
    return id;
  }
  const all = await Promise.all([false, true].map(removed => client.call('spec.list', { removed })));
  const found = all.flatMap(({ specs }) => specs).filter(({ specId }) => specId.endsWith(id));
  const [first] = found;
  if (!first || found.length > 1) {
    throw new SandpiperError(
      first ? 'invalid_params' : 'not_found',
      first ? `Several specs end with ${id}.` : `There is no spec ${id}.`,
      {
        hint: 'See `sandpiper spec list`.',
      },
    );
  }
  return first.specId;
}
