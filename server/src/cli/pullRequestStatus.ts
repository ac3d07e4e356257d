import { pullRequestDeedSchema, type PullRequestDeed } from '../../../protocol/landingCalls.ts';
import { pullRequestNeeds, pullRequestText } from '../../../protocol/pullRequestText.ts';
import type { Connection } from './connection.ts';
import { EXIT } from './exitCodes.ts';
import { plain } from './render.ts';

/** Looks at the pull request of a session and says how it stands; code 3 when it needs somebody. */
export async function printPullRequest(
  client: Connection['client'],
  params: { sessionId: string; token?: string },
  json: boolean,
): Promise<number> {
  const { pullRequest } = await client.call('pullRequest.look', params);
  process.stdout.write(
    json
      ? `${JSON.stringify(pullRequest)}\n`
      : `${plain(`#${pullRequest.number}: ${pullRequestText(pullRequest)}`)}\n${pullRequest.url}\n`,
  );
  return pullRequestNeeds(pullRequest).length === 0 ? EXIT.ok : EXIT.needsYou;
}

/** What the agent can be asked for, as it is written here. */
export const DEEDS: Readonly<Record<string, PullRequestDeed>> = {
  'fix-checks': 'fixChecks',
  'address-review': 'addressReview',
};

/** Has the agent do it in a turn. What it changes is pushed by `pr <session>`, after a look at it. */
export async function tendPullRequest(
  client: Connection['client'],
  params: { sessionId: string; token?: string },
  word: string,
  json: boolean,
): Promise<number> {
  const deed = pullRequestDeedSchema.parse(DEEDS[word]);
  const sent = await client.call('pullRequest.tend', { ...params, deed });
  process.stdout.write(json ? `${JSON.stringify(sent)}\n` : `${sent.messageId}\n`);
  process.stderr.write(
    'The agent has it. Follow it with `sandpiper logs -f`; `sandpiper pr` pushes what comes of it.\n',
  );
  return EXIT.ok;
}

/** The word for it here. */
export const UPDATE = 'update';
/** A sandbox may have to be made again for it. */
const UPDATE_TIMEOUT_MS = 10 * 60_000;

/** Merges what the base branch has since into the session and its pull request. */
export async function updatePullRequest(
  client: Connection['client'],
  params: { sessionId: string; token?: string },
  json: boolean,
): Promise<number> {
  const done = await client.call('pullRequest.updateFromBase', params, { timeoutMs: UPDATE_TIMEOUT_MS });
  const { updated, pullRequest } = done;
  process.stderr.write(
    plain(
      updated
        ? `#${pullRequest.number} has what ${pullRequest.baseBranch} has since.`
        : `#${pullRequest.number} had all of ${pullRequest.baseBranch} already.`,
    ) + '\n',
  );
  process.stdout.write(json ? `${JSON.stringify(done)}\n` : `${pullRequest.url}\n`);
  return EXIT.ok;
}
