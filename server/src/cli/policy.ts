import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { SandpiperError } from '../../../protocol/errors.ts';
import { landingTreeSchema } from '../../../protocol/landingCalls.ts';
import { POLICY_PATH, violationText, type PolicySource, type PolicyViolation } from '../../../protocol/policy.ts';
import { tokenOfSession, withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession, type Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

interface Flags {
  from?: string;
  base?: string;
  file?: string;
  json: boolean;
}

interface Checked {
  source?: PolicySource;
  violations: PolicyViolation[];
  about: string;
}

/** `policy check [session]`. */
export function addPolicy(command: Command, options: ProgramOptions, run: Run): void {
  const policy = command.command('policy').description('What a repository lets land');
  policy
    .command('check')
    .argument('[session]', 'id, or the end of one; without it the policy file of this folder is checked for mistakes')
    .description('Say whether the policy of the base branch lets a session’s work land; pushes nothing')
    .addOption(new Option('--from <tree>', 'what would land').choices(landingTreeSchema.options))
    .option('--base <branch>', 'branch to merge into')
    .option('--file <path>', `the policy file, without a session (default: ${POLICY_PATH})`)
    .option('--json', '', false)
    .action((session: string | undefined, flags: Flags) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const checked =
            session === undefined
              ? await checkFile(client, flags)
              : await checkSession(client, await findSession(client, session), options, flags);
          print(checked, flags.json);
          return checked.violations.length === 0 ? EXIT.ok : EXIT.failed;
        }),
      )(),
    );
}

async function checkSession(
  client: Connection['client'],
  sessionId: string,
  options: ProgramOptions,
  flags: Flags,
): Promise<Checked> {
  const { source, violations, from } = await client.call('policy.check', {
    sessionId,
    ...(await tokenOfSession(options, client, sessionId)),
    ...(flags.from === undefined ? {} : { from: landingTreeSchema.parse(flags.from) }),
    ...(flags.base === undefined ? {} : { baseBranch: flags.base }),
  });
  const what = from === 'accepted' ? 'The accepted changes' : 'All changes';
  const where =
    source && `the policy of ${source.branch ?? `the commit ${source.commit.slice(0, 7)}, the session’s own base`}`;
  return {
    ...(source ? { source } : {}),
    violations,
    about: where
      ? `${what} ${violations.length === 0 ? 'keep to' : 'do not keep to'} ${where}.`
      : `There is no ${POLICY_PATH} on the base, so nothing is refused.`,
  };
}

async function checkFile(client: Connection['client'], { file = POLICY_PATH }: Flags): Promise<Checked> {
  const text = await readFile(resolve(file), 'utf8').catch((error: unknown) => {
    throw new SandpiperError('not_found', `${file} cannot be read here.`, {
      hint: 'Run this in the root of the repository, name the file with --file, or name a session.',
      cause: error,
    });
  });
  const { violations } = await client.call('policy.validate', { text });
  return { violations, about: `${file} ${violations.length === 0 ? 'is well formed' : 'has mistakes'}.` };
}

function print({ source, violations, about }: Checked, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...(source ? { source } : {}), violations })}\n`);
    return;
  }
  process.stdout.write(`${plain([about, ...violations.map(violationText)].join('\n'))}\n`);
}
