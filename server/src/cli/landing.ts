import { Argument, Option, type Command } from 'commander';
import { landingTreeSchema } from '../../../protocol/landingCalls.ts';
import { issueNumber } from './arguments.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { tokenOfSession, withConnection, type ProgramOptions, type Run } from './command.ts';
import { findSession } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { DEEDS, printPullRequest, tendPullRequest, UPDATE, updatePullRequest } from './pullRequestStatus.ts';
import { plain } from './render.ts';

/** `diff <session>` and `pr <session>`. */
export function addLanding(command: Command, options: ProgramOptions, run: Run): void {
  command
    .command('diff')
    .argument('<session>', 'id, or the end of one')
    .description('Print what a session changed, as a unified diff')
    .option('--pending', 'only what is not accepted yet', false)
    .option('--from <tree>', 'base, accepted, proposed, turn:<number> or branch:<name>')
    .option('--to <tree>', 'the same; default: proposed')
    .option('--with <session>', 'the session that --to is of, when it is another one')
    .action((session: string, flags: { pending: boolean; from?: string; to?: string; with?: string }) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const { diff, truncated } = await client.call('changes.diff', {
            sessionId,
            from: flags.from ?? (flags.pending ? 'accepted' : 'base'),
            to: flags.to ?? 'proposed',
            ...(flags.with === undefined ? {} : { toSessionId: await findSession(client, flags.with) }),
          });
          process.stdout.write(process.stdout.isTTY ? plain(diff) : diff);
          if (truncated) {
            process.stderr.write('The diff is larger than this command shows. Open it in VS Code.\n');
          }
          return EXIT.ok;
        }),
      )(),
    );
  command
    .command('pr')
    .argument('<session>', 'id, or the end of one')
    .addArgument(
      new Argument('[deed]', 'what is to be done about it, in place of that').choices([...Object.keys(DEEDS), UPDATE]),
    )
    .description('Push the branch of a session and open or update its pull request, or have it tended')
    .option('--title <text>')
    .option('--base <branch>', 'branch to merge into')
    .option('--branch <name>', 'branch to push to, in place of the session’s own')
    .option('--with-theirs', 'add to what others pushed to the branch', false)
    .addOption(new Option('--from <tree>', 'what lands').choices(landingTreeSchema.options))
    .option('--block-while-pending', 'refuse while changes are not reviewed', false)
    .option('--status', 'only say how its pull request stands now', false)
    .option('--ready', 'not as a draft', false)
    .option('--issue <number>', 'issue that it closes', issueNumber)
    .option('--json', '', false)
    .action((session: string, deed: string | undefined, flags: PullRequestFlags) =>
      run(() =>
        withConnection(options, async ({ client }) => {
          const sessionId = await findSession(client, session);
          const token = await tokenOfSession(options, client, sessionId);
          if (deed === UPDATE) {
            return updatePullRequest(client, { sessionId, ...token }, flags.json);
          }
          if (deed !== undefined) {
            return tendPullRequest(client, { sessionId, ...token }, deed, flags.json);
          }
          if (flags.status) {
            return printPullRequest(client, { sessionId, ...token }, flags.json);
          }
          const {
            pullRequest,
            created,
            from,
            pending = 0,
          } = await client
            .call('pullRequest.open', {
              sessionId,
              draft: !flags.ready,
              ...token,
              ...(flags.title === undefined ? {} : { title: flags.title }),
              withTheirs: flags.withTheirs,
              ...(flags.base === undefined ? {} : { baseBranch: flags.base }),
              ...(flags.branch === undefined ? {} : { branch: flags.branch }),
              ...(flags.from === undefined ? {} : { from: landingTreeSchema.parse(flags.from) }),
              ...(flags.blockWhilePending ? { blockWhilePending: true } : {}),
              ...(flags.issue === undefined ? {} : { issue: flags.issue }),
            })
            .catch((error: unknown) => {
              throw withFlags(error, session);
            });
          process.stderr.write(
            `${from === 'accepted' ? 'The accepted changes' : 'All changes'}${pending === 0 ? '' : `; not reviewed: ${pending}`}\n`,
          );
          process.stdout.write(
            flags.json ? `${JSON.stringify({ pullRequest, created, from, pending })}\n` : `${pullRequest.url}\n`,
          );
          return EXIT.ok;
        }),
      )(),
    );
}

/** The ways past what others pushed, as this command has them. */
function withFlags(thrown: unknown, session: string): unknown {
  const error = toSandpiperError(thrown);
  const { suggestedBranch, mayKeepTheirs } = error.details ?? {};
  if (error.code !== 'conflict' || typeof suggestedBranch !== 'string') {
    return thrown;
  }
  const other = `\`sandpiper pr ${session} --branch ${suggestedBranch}\` opens one from another branch`;
  const keep = `\`sandpiper pr ${session} --with-theirs\` keeps them and adds this change`;
  return new SandpiperError(error.code, error.message, {
    hint: `${mayKeepTheirs === true ? `${keep}; ` : ''}${other}.`,
    details: error.details,
  });
}

interface PullRequestFlags {
  title?: string;
  base?: string;
  branch?: string;
  withTheirs: boolean;
  ready: boolean;
  status: boolean;
  from?: string;
  blockWhilePending: boolean;
  issue?: number;
  json: boolean;
}
