import { join } from 'node:path';
import { makeSample } from '../../scripts/demo/sample.ts';
import { deliver, WEBHOOK_SECRET } from '../../test/support/webhooks.ts';
import { median, percentile, type Bench, type Measurement } from '../figure.ts';
import { BenchRelay } from '../support/benchRelay.ts';
import { processorMs } from '../support/processorTime.ts';
import { readersLabels, readExamples } from './examples.ts';
import { startFloorProcess } from './floorProcess.ts';
import { startGithubProcess } from './githubProcess.ts';

const QUEUED = 500;
const SAMPLES = 40;
const SENDERS = 8;
const WINDOW_MS = 3000;
const GITHUB_ANSWER_MS = 100;

const HOW =
  `While ${QUEUED} webhooks wait and are worked off, each of which asks a GitHub that answers after ${GITHUB_ANSWER_MS} ms, ` +
  'the examples that GitHub publishes are sent one at a time, in turn to the relay and to the floor: express, the same ' +
  'signature, one row in sqlite3 with the same durability. A number is the median of a round.';
const RATE_HOW =
  `All examples that GitHub publishes, again and again for ${WINDOW_MS} ms, ${SENDERS} at once, by the processors that the ` +
  'server kept busy (never less than one).';

/** From the making of a signed webhook to the answer of the relay, with a queue; and how many it takes in a second. */
export const webhookAnswers: Measurement = {
  figures: [
    { name: 'webhook-to-202-ms', unit: 'ms', aim: 20 },
    { name: 'webhooks-per-second', unit: 'webhooks/s', aim: 329, better: 'more' },
  ],
  needs: [],
  async take(bench) {
    const stage = await openStage(bench);
    const { relay, floor, examples } = stage;
    // Both have been asked before anything counts.
    await rate(relay, examples, 500);
    await rate(floor, examples, 500);
    const rates = { ours: [] as Rate[], floor: [] as Rate[] };
    for (let round = 1; round <= bench.rounds; round++) {
      rates.ours.push(await rate(relay, examples, WINDOW_MS));
      rates.floor.push(await rate(floor, examples, WINDOW_MS));
      bench.report(`round ${round}: ${said(rates.ours.at(-1))} webhooks a second against ${said(rates.floor.at(-1))}`);
    }
    const times = await answerTimes(bench, stage);
    const [ours, floors] = [rates.ours.map(perCore), rates.floor.map(perCore)];
    return {
      'webhook-to-202-ms': { value: median(times.ours), raw: { unit: 'ms', ...times, how: HOW } },
      'webhooks-per-second': {
        value: median(ours),
        raw: { unit: 'webhooks/s', ours, floor: floors, rates, senders: SENDERS, how: RATE_HOW },
      },
    };
  },
};

/** `payload` as text is sent as it is. */
interface Told {
  event: string;
  payload: unknown;
}

interface Target {
  url: string;
  pid: number;
}

interface Stage {
  relay: BenchRelay;
  floor: Target;
  examples: readonly Told[];
  /** Another webhook that stays in the queue until GitHub was asked. */
  next: () => Told;
}

async function openStage(bench: Bench): Promise<Stage> {
  const source = join(bench.folder, 'sample');
  await makeSample(source);
  const githubProcess = startGithubProcess();
  bench.defer(() => githubProcess.stop());
  const github = await githubProcess.ask('open', { from: source, answerMs: GITHUB_ANSWER_MS });
  bench.defer(() => githubProcess.ask('close', undefined));
  const relay = await BenchRelay.start(bench, 'data', {
    modelUrl: 'http://127.0.0.1:9',
    env: {
      SANDPIPER_GITHUB_HOSTS: github.hosts,
      SANDPIPER_GITHUB_TOKEN: github.token,
      SANDPIPER_WEBHOOK_SECRET: WEBHOOK_SECRET,
    },
  });
  await relay.call('hooks.connect', { repository: github.repository, source: github.cloneUrl });
  const floorProcess = startFloorProcess();
  bench.defer(() => floorProcess.stop());
  const url = await floorProcess.ask('open', { file: join(bench.folder, 'floor.db'), secret: WEBHOOK_SECRET });
  const published = readExamples();
  const examples = published.map(({ event, payload }) => ({ event, payload: JSON.stringify(payload) }));
  return { relay, floor: { url, pid: floorProcess.pid }, examples, next: readersLabels(published, github) };
}

/** The median of each round, and the 99th percentile of all. */
async function answerTimes(bench: Bench, { relay, floor, examples, next }: Stage) {
  const all = { ours: [] as number[], floor: [] as number[] };
  const rounds = { ours: [] as number[], floor: [] as number[] };
  const leftAfterRound: number[] = [];
  let sample = 0;
  for (let round = 1; round <= bench.rounds; round++) {
    await fill(relay, next);
    const taken = { ours: [] as number[], floor: [] as number[] };
    for (let index = 0; index < SAMPLES; index++) {
      const example = examples[sample++ % examples.length];
      taken.ours.push(await timed(relay, example));
      taken.floor.push(await timed(floor, example));
    }
    leftAfterRound.push(await waiting(relay));
    for (const side of ['ours', 'floor'] as const) {
      all[side].push(...taken[side]);
      rounds[side].push(median(taken[side]));
    }
    bench.report(
      `round ${round}: ${median(taken.ours).toFixed(1)} against ${median(taken.floor).toFixed(1)} ms, ` +
        `${leftAfterRound.at(-1)} still wait`,
    );
  }
  const p99Ms = { ours: percentile(all.ours, 0.99), floor: percentile(all.floor, 0.99) };
  return { ...rounds, all, p99Ms, leftAfterRound };
}

/** Sends until so many wait; more than the list shows, since they are worked off all the while. */
async function fill(relay: BenchRelay, next: () => Told): Promise<void> {
  while ((await waiting(relay)) < QUEUED) {
    for (let sent = 0; sent < QUEUED / 5; sent++) {
      await timed(relay, next());
    }
  }
  for (let sent = 0; sent < QUEUED / 5; sent++) {
    await timed(relay, next());
  }
}

async function waiting(relay: BenchRelay): Promise<number> {
  return (await relay.call('hooks.list', { state: 'waiting', limit: QUEUED })).deliveries.length;
}

async function timed(target: Pick<Target, 'url'>, told: Told | undefined): Promise<number> {
  const startedAt = performance.now();
  const { status } = await deliver(target, told?.event ?? '', told?.payload);
  if (status !== 202) {
    throw new Error(`A webhook was answered with ${status}.`);
  }
  return performance.now() - startedAt;
}

interface Rate {
  perSecond: number;
  /** How many processors the server kept busy. */
  cores: number;
}

async function rate(target: Target, examples: readonly Told[], windowMs: number): Promise<Rate> {
  const before = await processorMs(target.pid);
  const startedAt = performance.now();
  let sent = 0;
  const sendOn = async (): Promise<void> => {
    while (performance.now() - startedAt < windowMs) {
      await timed(target, examples[sent++ % examples.length]);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sendOn));
  const ms = performance.now() - startedAt;
  return { perSecond: sent / (ms / 1000), cores: ((await processorMs(target.pid)) - before) / ms };
}

function perCore({ perSecond, cores }: Rate): number {
  return perSecond / Math.max(1, cores);
}

function said(rate: Rate | undefined): string {
  return rate ? `${rate.perSecond.toFixed(0)} (${rate.cores.toFixed(2)} processors)` : 'no';
}
