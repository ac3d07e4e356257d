import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeSample } from '../../scripts/demo/sample.ts';
import { deliver, WEBHOOK_SECRET } from '../../test/support/webhooks.ts';
import { median, type Bench, type Measurement } from '../figure.ts';
import { BenchRelay } from '../support/benchRelay.ts';
import { ONE_WORD } from '../support/largeStart.ts';
import { startModelProcess } from '../support/modelProcess.ts';
import { untilSpare } from '../support/untilSpare.ts';
import { startGithubProcess, type GithubProcess, type OpenedGithub } from './githubProcess.ts';

const GITHUB_ANSWER_MS = 100;
const POLL_MS = 20;
const MAX_WAIT_MS = 60_000;

const HOW =
  'An issue is labelled; the relay has had a session of this repository and keeps a sandbox ready for the next, as it does ' +
  `for people. GitHub answers after ${GITHUB_ANSWER_MS} ms. Floor: the same session begun by session.create. Both end at ` +
  'the moment that the log gives for agentStarted.';

/** From a signed webhook of a labelled issue to its running agent. */
export const webhookToAgent: Measurement = {
  figures: [{ name: 'webhook-to-agent-started-ms', unit: 'ms', aim: 2000 }],
  needs: ['bubblewrap'],
  async take(bench) {
    const { github, githubProcess, relay } = await openStage(bench);
    const ours: number[] = [];
    const floor: number[] = [];
    // The first of both make the mirror and load what is loaded late.
    for (let round = 0; round <= bench.rounds; round++) {
      ours.push(await ready(bench, relay, github, () => byWebhook(relay, githubProcess)));
      floor.push(await ready(bench, relay, github, () => byCall(relay, github)));
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} against ${floor.at(-1)?.toFixed(0)} ms`);
    }
    const raw = { unit: 'ms', ours: ours.slice(1), floor: floor.slice(1), first: [ours[0], floor[0]], how: HOW };
    return { 'webhook-to-agent-started-ms': { value: median(ours.slice(1)), raw } };
  },
};

async function openStage(bench: Bench) {
  const source = join(bench.folder, 'sample');
  await makeSample(source);
  const model = await startModelProcess();
  bench.defer(() => model.stop());
  const githubProcess = startGithubProcess();
  bench.defer(() => githubProcess.stop());
  const github = await githubProcess.ask('open', { from: source, answerMs: GITHUB_ANSWER_MS });
  bench.defer(() => githubProcess.ask('close', undefined));
  const relay = await BenchRelay.start(bench, 'data', {
    modelUrl: model.url,
    env: {
      SANDPIPER_GITHUB_HOSTS: github.hosts,
      SANDPIPER_GITHUB_TOKEN: github.token,
      SANDPIPER_WEBHOOK_SECRET: WEBHOOK_SECRET,
      SANDPIPER_SPARE_SANDBOXES: '1',
    },
  });
  await relay.call('hooks.connect', { repository: github.repository, source: github.cloneUrl });
  return { github, githubProcess, relay };
}

/** Milliseconds until the agent runs; before that a sandbox is ready, after it the session is over. */
async function ready(
  bench: Bench,
  relay: BenchRelay,
  { cloneUrl }: OpenedGithub,
  begin: () => Promise<{ startedAt: number; sessionId: string }>,
): Promise<number> {
  await relay.call('repository.warm', { source: cloneUrl });
  await untilSpare(join(bench.folder, 'data', 'sandboxes'));
  const { startedAt, sessionId } = await begin();
  await relay.until(sessionId, state => state.turns[0]?.checkpoint !== undefined);
  const { events } = await relay.call('session.events', { sessionId, after: 0, limit: 100 });
  const started = events.find(({ body }) => body.type === 'agentStarted');
  await relay.archive(sessionId);
  if (!started) {
    throw new Error(`The agent of ${sessionId} did not start.`);
  }
  return started.at - startedAt;
}

async function byCall(relay: BenchRelay, { cloneUrl }: OpenedGithub) {
  const startedAt = Date.now();
  return { startedAt, sessionId: await relay.create({ source: cloneUrl, prompt: ONE_WORD }) };
}

async function byWebhook(relay: BenchRelay, githubProcess: GithubProcess) {
  const { event, payload } = await githubProcess.ask('labelIssue', { body: ONE_WORD });
  const startedAt = Date.now();
  const { status, id } = await deliver(relay, event, payload);
  while (Date.now() - startedAt < MAX_WAIT_MS) {
    const { delivery, request } = await relay.call('hooks.show', { id });
    if (request?.sessionId !== undefined) {
      return { startedAt, sessionId: request.sessionId };
    }
    if (delivery?.state === 'ignored' || delivery?.state === 'dead') {
      throw new Error(`The webhook began nothing: ${delivery.reason ?? ''}`);
    }
    await setTimeout(POLL_MS);
  }
  throw new Error(`The webhook, answered with ${status}, began nothing.`);
}
