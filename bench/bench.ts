import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMissing, setUp } from '../scripts/setup.ts';
import { rounded, type Figure, type Measurement } from './figure.ts';
import { webhookAnswers } from './forge/webhookAnswers.ts';
import { webhookToAgent } from './forge/webhookToAgent.ts';
import { caughtUp } from './load/caughtUp.ts';
import { fanout } from './load/fanout.ts';
import { insertRate } from './load/insertRate.ts';
import { sessionsPerCore } from './load/sessionsPerCore.ts';
import { soak } from './load/soak.ts';
import { peers } from './peers/peers.ts';
import { acceptHunk } from './review/acceptHunk.ts';
import { firstLens } from './review/firstLens.ts';
import { manyDecisions } from './review/manyDecisions.ts';
import { dockerSessions } from './sandboxes/dockerSessions.ts';
import { localAtOnce, localStart, warmStart } from './sandboxes/localSessions.ts';
import { daytonaSessions, e2bSessions, kubernetesSessions } from './sandboxes/vendorSessions.ts';
import { activation } from './spine/activation.ts';
import { idleMemory } from './spine/idleMemory.ts';
import { sessionMemory } from './spine/sessionMemory.ts';
import { sessionStart } from './spine/sessionStart.ts';
import { sizes } from './spine/sizes.ts';
import { tokenLatency } from './spine/tokenLatency.ts';
import { toolTurn } from './spine/toolTurn.ts';
import { warmPrompt } from './spine/warmPrompt.ts';
import { chatPage } from './ui/chatPage.ts';
import { Cleanups } from './support/cleanups.ts';
import { formatTable } from './support/formatTable.ts';
import { writeBenchmarks } from './writeBenchmarks.ts';

/*
 * `npm run bench`: takes figures of the built product, each beside its floor in the same run, and says which aims hold. With
 * --json stdout has exactly one object, `{"figures":[...]}`; progress goes to stderr. The exit code is 0 when every figure
 * could be taken, whether its aim holds or not.
 */

const GROUPS: Record<string, readonly Measurement[]> = {
  forge: [webhookAnswers, webhookToAgent],
  load: [sessionsPerCore, fanout, insertRate, caughtUp, soak],
  peers: [peers],
  review: [acceptHunk, manyDecisions, firstLens],
  sandboxes: [localStart, warmStart, localAtOnce, dockerSessions, e2bSessions, daytonaSessions, kubernetesSessions],
  ui: [chatPage, activation],
  spine: [tokenLatency, toolTurn, warmPrompt, sessionStart, idleMemory, sessionMemory, activation, sizes],
};

const USAGE = `npm run bench [-- options]
  --only ${Object.keys(GROUPS).join('|')}   one group of figures; peers only when asked for
  --figure <name>     one figure; may be given more than once
  --rounds <number>   how often each is taken, default 8
  --write             puts the table of peers into docs/benchmarks.md
  --json              one JSON object on stdout`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    figure: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const rounds = Number(values.rounds);
const chosen = choose();
if (values.help || chosen.length === 0 || !Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

const cleanups = new Cleanups();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanups.run().finally(() => process.exit(130)));
}

const { missing } = await setUp([...new Set(chosen.flatMap(({ needs }) => needs))], report);
for (const miss of missing) {
  report(describeMissing(miss));
}
const figures: Figure[] = [];
for (const measurement of chosen) {
  figures.push(...(await take(measurement)).filter(({ name }) => isAsked(name)));
}
if (values.write) {
  await writeBenchmarks(figures, rounds);
}
console.log(values.json ? JSON.stringify({ figures }) : formatTable(figures));
process.exitCode = figures.every(({ value }) => value !== null) ? 0 : 1;

function choose(): readonly Measurement[] {
  const { peers: _others, ...own } = GROUPS;
  // One may stand in two groups.
  const group = values.only === undefined ? [...new Set(Object.values(own).flat())] : (GROUPS[values.only] ?? []);
  return group.filter(({ figures }) => figures.some(({ name }) => isAsked(name)));
}

function isAsked(name: string): boolean {
  return values.figure.length === 0 || values.figure.includes(name);
}

async function take(measurement: Measurement): Promise<Figure[]> {
  const names = measurement.figures.map(({ name }) => name).join(', ');
  report(`${names} (load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} processors)`);
  const lack = missing.find(({ need }) => need === 'git' || measurement.needs.some(own => own === need));
  if (lack) {
    return failed(measurement, describeMissing(lack));
  }
  const folder = await mkdtemp(join(tmpdir(), 'sp-bench-'));
  cleanups.add(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  try {
    const taken = await measurement.take({ rounds, report, folder, defer: cleanup => cleanups.add(cleanup) });
    return measurement.figures.map(spec => {
      const { value, raw } = taken[spec.name] ?? { value: Number.NaN, raw: {} };
      const { name, unit, aim, better = 'less' } = spec;
      const holds = better === 'less' ? value <= aim : value >= aim;
      return { name, value: Number.isNaN(value) ? null : rounded(value), unit, aim, better, holds, raw };
    });
  } catch (error) {
    return failed(measurement, error instanceof Error ? error.message : String(error));
  } finally {
    await cleanups.run();
  }
}

function failed(measurement: Measurement, reason: string): Figure[] {
  report(`not taken: ${reason}`);
  return measurement.figures.map(({ name, unit, aim, better = 'less' }) => ({
    name,
    value: null,
    unit,
    aim,
    better,
    holds: false,
    raw: { reason },
  }));
}

function report(line: string): void {
  console.error(`bench: ${line}`);
}
