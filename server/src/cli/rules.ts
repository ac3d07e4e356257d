import { Option, type Command } from 'commander';
import type { CallResult } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import { withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession, listSessions, type Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

interface TargetFlags {
  session?: string;
  repo?: string;
  everywhere: boolean;
}

/** `rules`, `rules add` and `rules remove`. */
export function addRules(command: Command, options: ProgramOptions, run: Run): void {
  const rules = command
    .command('rules')
    .description('List what agents may do without asking')
    .option('--json', '', false)
    .action(({ json }: { json: boolean }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const { rules: found } = await client.call('rules.list', {});
          for (const rule of found) {
            process.stdout.write(json ? `${JSON.stringify(rule)}\n` : `${row(rule)}\n`);
          }
          return EXIT.ok;
        }),
      )(),
    );
  for (const kind of ['add', 'remove'] as const) {
    rules
      .command(kind)
      .argument('<rule>', 'such as "Bash(npm test:*)" or "Edit"')
      .description(kind === 'add' ? 'Let agents do something without asking' : 'Have agents ask again')
      .option('--session <session>', 'in this session alone')
      .addOption(new Option('--repo <name>', 'in every session of this repository').conflicts('session'))
      .addOption(new Option('--everywhere', 'in every session').default(false).conflicts(['session', 'repo']))
      .action((rule: string, flags: TargetFlags) =>
        run(() =>
          withConnection(options, async connection => {
            const target = { rule, ...(await targetOf(connection, flags)) };
            const { client } = connection;
            const changed =
              kind === 'add'
                ? (await client.call('rules.add', target)).added
                : (await client.call('rules.remove', target)).removed;
            process.stdout.write(changed ? `${kind === 'add' ? 'added' : 'removed'}\n` : 'nothing to change\n');
            return EXIT.ok;
          }),
        )(),
      );
  }
}

type Rule = CallResult<'rules.list'>['rules'][number];

function row({ rule, scope, session, repository, wide }: Rule): string {
  const where =
    scope === 'session'
      ? `session ${session?.id ?? ''} ${session?.title ?? ''}`
      : scope === 'repository'
        ? `repository ${repository?.name ?? ''}`
        : 'everywhere';
  return `${plain(rule)}  ${plain(where)}${wide ? '  (allows everything of this tool)' : ''}`;
}

/** @throws `invalid_params` when no scope is named, `not_found` */
async function targetOf(
  { client }: Connection,
  { session, repo, everywhere }: TargetFlags,
): Promise<{ scope: Rule['scope']; sessionId?: string; repositoryId?: string }> {
  if (session !== undefined) {
    return { scope: 'session', sessionId: await findSession(client, session) };
  }
  if (everywhere) {
    return { scope: 'everywhere' };
  }
  if (repo === undefined) {
    throw new SandpiperError('invalid_params', 'Say where the rule holds: --session, --repo or --everywhere.');
  }
  const known = [
    ...(await client.call('rules.list', {})).rules.flatMap(({ repository }) => (repository ? [repository] : [])),
    ...(await listSessions(client, false)).map(({ repository }) => repository),
  ];
  const ids = new Set(known.filter(({ id, name }) => name === repo || id === repo).map(({ id }) => id));
  const [repositoryId] = ids;
  if (repositoryId === undefined || ids.size > 1) {
    throw new SandpiperError(
      'not_found',
      ids.size > 1 ? `Several repositories are called "${repo}".` : `No session works on a repository "${repo}".`,
      { hint: 'Name one of its sessions with --session, or its id as `sandpiper sessions --json` shows it.' },
    );
  }
  return { scope: 'repository', repositoryId };
}
