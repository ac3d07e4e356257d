import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Bench, type Measurement } from '../figure.ts';
import { BenchRelay } from '../support/benchRelay.ts';
import { residentKb } from '../support/processMemory.ts';

const IDLE_MS = 5000;

/** A fresh relay that does nothing; beside it a Node that does nothing, which no relay can go below. */
export const idleMemory: Measurement = {
  figures: [{ name: 'relay-rss-idle-mb', unit: 'MB', aim: 120 }],
  needs: [],
  async take(bench) {
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = 1; round <= bench.rounds; round++) {
      const relay = await BenchRelay.start(bench, `idle${round}`, { modelUrl: 'http://127.0.0.1:9' });
      const node = startNode(bench);
      await sleep(IDLE_MS);
      ours.push((await residentKb(relay.pid)) / 1024);
      floor.push((await residentKb(node.pid)) / 1024);
      await relay.stop();
      await node.stop();
      bench.report(`round ${round}: ${ours.at(-1)?.toFixed(1)} MB, an empty Node ${floor.at(-1)?.toFixed(1)} MB`);
    }
    return { 'relay-rss-idle-mb': { value: median(ours), raw: { unit: 'MB', ours, floor } } };
  },
};

function startNode(bench: Bench): { pid: number; stop(): Promise<void> } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    }
  };
  bench.defer(stop);
  return { pid: child.pid ?? 0, stop };
}
