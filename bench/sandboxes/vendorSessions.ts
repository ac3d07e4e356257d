import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeSample } from '../../scripts/demo/sample.ts';
import { freePort } from '../../test/support/freePort.ts';
import { DaytonaEmulator } from '../../test/support/vendors/daytona/daytonaEmulator.ts';
import { daytonaBareStart } from '../../test/support/vendors/daytona/daytonaBareStart.ts';
import { E2bEmulator } from '../../test/support/vendors/e2b/e2bEmulator.ts';
import { e2bBareStart } from '../../test/support/vendors/e2b/e2bBareStart.ts';
import { kubernetesBareStart } from '../../test/support/vendors/kubernetes/kubernetesBareStart.ts';
import { KubernetesEmulator } from '../../test/support/vendors/kubernetes/kubernetesEmulator.ts';
import { median, medianRatio, type Bench, type Measurement } from '../figure.ts';
import { BenchRelay } from '../support/benchRelay.ts';
import { startModelProcess } from '../support/modelProcess.ts';

const DELTAS = 1000;
const INTERVAL_MS = 5;
const run = promisify(execFile);

type PlayedVendorId = 'e2b' | 'daytona' | 'kubernetes';

interface PlayedVendor {
  env: Record<string, string>;
  /** A machine that is made with the SDK alone, with a clone of the bundle in it. */
  bareStart(bundle: Buffer): Promise<void>;
  close(): Promise<void>;
}

/**
 * From the call to a running agent on a vendor's machine, against what the vendor's SDK alone needs for a machine with a
 * clone of the same repository; and how late the agent's text comes from there. The vendor is played on this machine.
 */
function vendorSessions(provider: PlayedVendorId, open: () => Promise<PlayedVendor>): Measurement {
  return {
    figures: [
      { name: `start-over-bare-${provider}`, unit: 'ratio', aim: 1.3 },
      { name: `event-latency-p50-${provider}-ms`, unit: 'ms', aim: 150 },
    ],
    needs: ['bubblewrap'],
    take: async bench => take(bench, provider, await open()),
  };
}

async function take(bench: Bench, provider: PlayedVendorId, vendor: PlayedVendor): ReturnType<Measurement['take']> {
  bench.defer(() => vendor.close());
  const source = join(bench.folder, 'sample');
  await makeSample(source);
  await run('git', ['-C', source, 'bundle', 'create', '-q', join(bench.folder, 'bundle'), 'HEAD']);
  const bundle = await readFile(join(bench.folder, 'bundle'));
  const model = await startModelProcess();
  bench.defer(() => model.stop());
  const port = await freePort();
  const gateway = { SANDPIPER_PUBLIC_URL: `http://127.0.0.1:${port}`, SANDPIPER_GATEWAY_PORT: String(port) };
  const relay = await BenchRelay.start(bench, 'data', { modelUrl: model.url, env: { ...vendor.env, ...gateway } });
  const ours: number[] = [];
  const floor: number[] = [];
  // The first one makes the mirror and is not counted.
  for (let round = 0; round <= bench.rounds; round++) {
    const startedAt = performance.timeOrigin + performance.now();
    const sessionId = await relay.create({ source, prompt: 'SCN:deltas:1:0:only', provider });
    const agentAt = await relay.until(sessionId, state => state.agent.running);
    await relay.until(sessionId, state => state.turns[0]?.checkpoint !== undefined);
    await relay.archive(sessionId);
    const bareAt = performance.now();
    await vendor.bareStart(bundle);
    if (round > 0) {
      ours.push(agentAt - startedAt);
      floor.push(performance.now() - bareAt);
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(0)} against ${floor.at(-1)?.toFixed(0)} ms`);
    }
  }
  const sessionId = await relay.createWarm(source, provider);
  const late: number[] = [];
  for (let round = 1; round <= bench.rounds; round++) {
    await relay.turn(sessionId, `SCN:deltas:${DELTAS}:${INTERVAL_MS}:${provider}${round}`);
    late.push(relay.marks.latencies(`${provider}${round}`, await model.log()).p50);
    await model.reset();
    bench.report(`round ${round}: ${late.at(-1)?.toFixed(2)} ms late`);
  }
  return {
    [`start-over-bare-${provider}`]: { value: medianRatio(ours, floor), raw: { unit: 'ms', ours, floor } },
    [`event-latency-p50-${provider}-ms`]: { value: median(late), raw: { unit: 'ms', ours: late, deltas: DELTAS } },
  };
}

export const e2bSessions = vendorSessions('e2b', async () => {
  const emulator = await E2bEmulator.start();
  return {
    env: emulator.env,
    bareStart: async bundle => e2bBareStart(emulator, bundle),
    close: async () => emulator.close(),
  };
});

export const daytonaSessions = vendorSessions('daytona', async () => {
  const emulator = await DaytonaEmulator.start();
  return {
    env: emulator.env,
    bareStart: async bundle => daytonaBareStart(emulator, bundle),
    close: async () => emulator.close(),
  };
});

export const kubernetesSessions = vendorSessions('kubernetes', async () => {
  const emulator = await KubernetesEmulator.start();
  return {
    env: emulator.env,
    bareStart: async bundle => kubernetesBareStart(emulator, bundle),
    close: async () => emulator.close(),
  };
});
