import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRelay } from '../../client/localRelay.ts';
import type { RelayClient } from '../../client/relayClient.ts';
import type { HookRequest } from '../../protocol/hookCalls.ts';
import { plain } from '../../server/src/cli/render.ts';
import type { GithubEvent } from '../../test/support/github/githubHooks.ts';
import { startGithubServer, type GithubServer } from '../../test/support/githubServer.ts';
import { deliver, WEBHOOK_SECRET } from '../../test/support/webhooks.ts';
import { ISSUE, ISSUE_SCRIPT, makeSample, REVIEW_COMMENT } from './sample.ts';
import { defer, modelEnv, printEvents, runProgram, say, scratchFolder, startRelay, style } from './stage.ts';
import { stayUp, type DemoOptions } from './stayUp.ts';

const OWNER = 'octo';
const NAME = 'slug';
const DONE_MS = 10 * 60_000;

interface World {
  github: GithubServer;
  client: RelayClient;
  folder: string;
  bare: string;
}

/**
 * From an issue to its merged pull request, by webhooks alone: the relay begins a session, opens a draft, repairs it when the
 * checks fail, answers a reviewer, and archives the session when it is merged. The checks are the repository's own test, run
 * on what was pushed.
 */
export async function issueDemo(options: DemoOptions): Promise<void> {
  const world = await openWorld(options);
  const { github, client } = world;
  const { talk, hooks } = github.people(OWNER, NAME);
  talk.permissions.set('alice', 'write').set('bob', 'write');

  const issue = github.openIssue(OWNER, NAME, { ...ISSUE, by: 'alice' });
  say(`${style.bold(`alice opens issue #${issue}`)} and labels it "sandpiper": ${ISSUE.title}`);
  const begun = await tell(world, hooks.labelled(issue, 'sandpiper', 'alice'));
  const sessionId = begun.sessionId ?? '';
  const [pull] = github.pullRequests();
  if (!pull) {
    throw new Error(`No pull request was opened: ${begun.reason ?? 'no reason is known'}.`);
  }
  say(`A draft for it: ${style.bold(`#${pull.number} ${pull.title}`)}`);
  say(`On the issue it says: ${oneLine(talk.said(issue).at(-1))}`);

  let commit = await headOf(client, sessionId);
  for (let run = 1; ; run++) {
    const { code, output } = await runTest(world, commit, run);
    console.log(output.trimEnd());
    if (code === 0) {
      say(style.green(`The checks of ${commit.slice(0, 7)} pass.`));
      break;
    }
    say(style.red(`The checks of ${commit.slice(0, 7)} fail; GitHub tells the relay.`));
    talk.checks.push({ id: run, commit, name: 'test', conclusion: 'failure', log: output });
    const repaired = await tell(world, hooks.checksFailed(commit));
    const next = await headOf(client, sessionId);
    if (next === commit) {
      throw new Error(`The checks were not repaired: ${repaired.reason ?? 'nothing was changed'}.`);
    }
    commit = next;
  }

  say(`${style.bold('bob reviews it')}: ${REVIEW_COMMENT.body}`);
  const review = talk.review(pull.number, 'bob', { comments: [REVIEW_COMMENT] });
  await tell(world, hooks.reviewed(review));
  const reply = talk.reviewComments.find(({ inReplyTo }) => inReplyTo !== undefined);
  if (!reply) {
    throw new Error('The reviewer got no answer.');
  }
  say(`The answer in his thread: ${oneLine(reply.body)}`);

  github.merge(OWNER, NAME, pull.number);
  await tell(world, hooks.closed(pull.number, 'bob'));
  const state = await client.call('session.get', { sessionId });
  if (!state.archived || state.turns.length !== 3) {
    throw new Error(`The session should be archived after three turns, and has ${state.turns.length}.`);
  }
  say(`bob merges #${pull.number}; the session is archived.`);
  const violations = github.violations();
  if (violations.length > 0) {
    throw new Error(`GitHub would not take this: ${violations.join('; ')}`);
  }
  await stayUp(options, world.folder, join(world.folder, 'from'));
  const url = state.pullRequest?.url ?? '';
  console.log(`demo: ok session=${sessionId} events=${state.seq} turns=${state.turns.length} pr=${url}`);
}

async function openWorld({ realKey }: DemoOptions): Promise<World> {
  const folder = await scratchFolder();
  const from = join(folder, 'from');
  await makeSample(from);
  const github = await startGithubServer();
  defer(() => github.close());
  const { cloneUrl, bareFolder } = await github.createRepository(OWNER, NAME, { from, defaultBranch: 'main' });
  const client = await startRelay(folder, {
    ...(await modelEnv(realKey, ISSUE_SCRIPT)),
    SANDPIPER_GITHUB_TOKEN: github.token,
    SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
    SANDPIPER_WEBHOOK_SECRET: WEBHOOK_SECRET,
  });
  const { providers } = await client.call('relay.info', {});
  if (!providers.some(({ available, isolation }) => available && isolation !== 'none')) {
    throw new Error('This machine cannot isolate the agent, and nobody is there to agree to less. Install bubblewrap.');
  }
  await client.call('hooks.connect', { repository: `${github.host}/${OWNER}/${NAME}`, source: cloneUrl });
  return { github, client, folder, bare: bareFolder };
}

/** Sends a webhook, shows what the session does about it, and waits until all is done. */
async function tell({ client, folder }: World, { event, payload }: GithubEvent): Promise<HookRequest> {
  const address = await findRelay(join(folder, 'data'));
  if (!address) {
    throw new Error('The relay has gone.');
  }
  const { id, status } = await deliver(address, event, payload);
  if (status !== 202) {
    throw new Error(`The relay did not take the webhook: HTTP ${status}.`);
  }
  let following: { end(): Promise<void> } | undefined;
  try {
    for (const deadline = Date.now() + DONE_MS; Date.now() < deadline; await sleep(50)) {
      const { delivery } = await client.call('hooks.show', { id });
      if (delivery && (delivery.state === 'ignored' || delivery.state === 'dead')) {
        throw new Error(`The webhook led to nothing: ${delivery.reason ?? delivery.state}.`);
      }
      const key = delivery?.request;
      const { request } = key === undefined ? {} : await client.call('hooks.show', { id: key });
      if (request?.sessionId !== undefined) {
        following ??= await follow(client, request.sessionId);
      }
      if (request && request.state !== 'open') {
        return request;
      }
    }
    throw new Error('The webhook was not worked off in time.');
  } finally {
    await following?.end();
  }
}

const seen = new Map<string, number>();

/** Prints what was not printed yet, and goes on until it is told to end. */
async function follow(client: RelayClient, sessionId: string): Promise<{ end(): Promise<void> }> {
  const print = async (): Promise<void> => {
    const { events } = await client.call('session.events', { sessionId, after: seen.get(sessionId) ?? 0, limit: 500 });
    seen.set(sessionId, events.at(-1)?.seq ?? seen.get(sessionId) ?? 0);
    printEvents(events);
  };
  let printing = print();
  const following = client.follow(sessionId, (_, change) => {
    if (change.kind === 'events') {
      printing = printing.then(print);
      // Told at the end.
      printing.catch(() => undefined);
    }
  });
  return {
    end: async () => {
      following.dispose();
      await printing;
    },
  };
}

async function headOf(client: RelayClient, sessionId: string): Promise<string> {
  const { pullRequest } = await client.call('session.get', { sessionId });
  if (!pullRequest) {
    throw new Error('The session has no pull request.');
  }
  return pullRequest.headCommit;
}

/** As a runner of the forge would: in a clone of what was pushed. */
async function runTest(
  { folder, bare }: World,
  commit: string,
  run: number,
): Promise<{ code: number; output: string }> {
  const clone = join(folder, `checks-${run}`);
  for (const args of [
    ['clone', '--quiet', '--no-checkout', bare, clone],
    ['-C', clone, 'checkout', '--quiet', commit],
  ]) {
    const { code, output } = await runProgram('git', args);
    if (code !== 0) {
      throw new Error(output);
    }
  }
  return runProgram('sh', ['test.sh'], clone);
}

function oneLine(text = ''): string {
  return plain(
    text
      .replace(/<!--[^]*?-->/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
  ).slice(0, 200);
}
