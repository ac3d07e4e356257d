import { median, type Bench, type Measurement } from '../figure.ts';
import { LoadRelay, type RelayMeter } from './loadRelay.ts';
import type { Seen } from './followersProcess.ts';

const STEPS = [50, 100, 250, 500, 750, 1000, 1250, 1500, 2000];
const EVENTS_PER_SECOND = 3;
const BURSTS = { sessions: 10, perSecond: 200 };
const SOCKETS = 10;
const WINDOW_MS = 6000;
const WARM_MS = 3000;
const MAX_P99_MS = 20;
const SLOW_BYTES_PER_SECOND = 10_000;
const REACH_TIMEOUT_MS = 30_000;
/** Events that a session has before the load begins. */
const FIRST_EVENTS = 7;

interface Step {
  sessions: number;
  p50Ms: number;
  p99Ms: number;
  windows: { seen: Omit<Seen, 'lastSeqs'>; meter: RelayMeter }[];
  cores: number;
  stallP999Ms: number;
  heldKb: number;
  lost: number;
  duplicates: number;
}

const HOW =
  'The built relay in a process of its own takes up sessions from a data folder as after a kill: real store, real ' +
  'journals, real sandbox records of the local provider without isolation. One process plays all agents: it appends ' +
  `stream-json lines to the journals, each of which becomes one committed event. ${SOCKETS} WebSocket clients share the ` +
  'sessions, in one process of their own; a client that takes nothing and one that takes 10 kB/s follow the bursting ' +
  'sessions besides. Latency: from before the write into the journal to the receipt of the committed event.';

/**
 * How many sessions one relay keeps live at 3 events a second each, ten of them with bursts of 200 a second: the most of which
 * the 99th percentile stays under 20 ms, by the processors that the relay kept busy (never less than one).
 */
export const sessionsPerCore: Measurement = {
  figures: [
    { name: 'sessions-per-core', unit: 'sessions', aim: 1000, better: 'more' },
    { name: 'events-lost', unit: 'events', aim: 0 },
    { name: 'extra-session-kb', unit: 'KB', aim: 50 },
    { name: 'loop-stall-p999-ms', unit: 'ms', aim: 10 },
  ],
  needs: [],
  async take(bench) {
    const relay = await LoadRelay.make(bench, 'data');
    const steps: Step[] = [];
    for (const count of STEPS) {
      await relay.add(count - relay.sessions.length);
      const step = await takeStep(bench, relay);
      steps.push(step);
      // One beyond the first that fails: memory is a slope, which takes two.
      if (steps.filter(one => !isHeld(one)).length === 2) {
        break;
      }
    }
    const firstMissed = steps.findIndex(step => !isHeld(step));
    const held = (firstMissed === -1 ? steps : steps.slice(0, firstMissed)).at(-1);
    const lost = steps.reduce((sum, step) => sum + step.lost + step.duplicates, 0);
    // Where it is asked for: at the load of the aim, or the most that was reached.
    const aimed = steps.find(({ sessions }) => sessions === 1000) ?? steps.at(-1);
    const slopes = steps.flatMap((step, later) =>
      steps.slice(0, later).map(before => (step.heldKb - before.heldKb) / (step.sessions - before.sessions)),
    );
    const raw = { how: HOW, steps };
    return {
      'sessions-per-core': { value: held ? held.sessions / Math.max(1, held.cores) : 0, raw },
      'events-lost': { value: lost, raw: { how: HOW, steps: steps.map(({ sessions, lost: own }) => [sessions, own]) } },
      'extra-session-kb': {
        value: median(slopes),
        raw: { unit: 'KB', sessions: steps.map(({ sessions }) => sessions), ours: steps.map(step => step.heldKb) },
      },
      'loop-stall-p999-ms': {
        value: aimed?.stallP999Ms ?? Number.NaN,
        raw: {
          unit: 'ms',
          sessions: aimed?.sessions,
          ours: aimed?.windows.map(({ meter }) => meter.stallP999Ms) ?? [],
        },
      },
    };
  },
};

function isHeld(step: Step): boolean {
  return step.p99Ms < MAX_P99_MS && step.lost === 0;
}

async function takeStep(bench: Bench, relay: LoadRelay): Promise<Step> {
  const { agents, followers, sessionIds, journals } = relay;
  await relay.start();
  const address = await relay.address();
  await followers.ask('follow', { ...address, sessionIds, sockets: SOCKETS });
  const bursting = sessionIds.slice(0, BURSTS.sessions);
  await followers.ask('followSlowly', { ...address, sessionIds: bursting, bytesPerSecond: 0 });
  await followers.ask('followSlowly', { ...address, sessionIds: bursting, bytesPerSecond: SLOW_BYTES_PER_SECOND });
  const work = { journals, perSecond: EVENTS_PER_SECOND, bursts: BURSTS };
  await agents.ask('work', { ...work, ms: WARM_MS });
  await relay.meter();
  await followers.ask('reset', undefined);
  const windows: Step['windows'] = [];
  let lost = 0;
  const idle = await relay.meter();
  for (let round = 1; round <= Math.max(3, Math.ceil(bench.rounds / 2)); round++) {
    const written = await agents.ask('work', { ...work, ms: WINDOW_MS });
    const seqs = Object.fromEntries(sessionIds.map((id, index) => [id, FIRST_EVENTS + (written[index] ?? 0)]));
    await followers.ask('reach', { seqs, timeoutMs: REACH_TIMEOUT_MS });
    const { lastSeqs, ...seen } = await followers.ask('seen', undefined);
    lost = sessionIds.reduce((sum, id) => sum + Math.max(0, (seqs[id] ?? 0) - (lastSeqs[id] ?? 0)), 0) + seen.gaps;
    windows.push({ seen, meter: await relay.meter() });
    await followers.ask('reset', undefined);
  }
  await relay.stop();
  const step = {
    sessions: sessionIds.length,
    p50Ms: median(windows.map(({ seen }) => seen.p50Ms)),
    p99Ms: median(windows.map(({ seen }) => seen.p99Ms)),
    windows,
    cores: median(windows.map(({ meter }) => meter.cores)),
    stallP999Ms: median(windows.map(({ meter }) => meter.stallP999Ms)),
    heldKb: idle.heldKb,
    lost,
    duplicates: windows.reduce((sum, { seen }) => sum + seen.duplicates, 0),
  };
  bench.report(
    `${step.sessions} sessions: ${step.p50Ms.toFixed(2)}/${step.p99Ms.toFixed(1)} ms (p50/p99), ` +
      `${step.cores.toFixed(2)} processors, stall p99.9 ${step.stallP999Ms.toFixed(1)} ms, ` +
      `${(step.heldKb / 1024).toFixed(0)} MB held, ${step.lost} lost`,
  );
  return step;
}
