// @ts-check
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/*
 * Loaded into the relay's process before the relay, with --expose-gc. When SIGUSR2 comes it writes what happened since the
 * last time into the file that SANDPIPER_BENCH_METER names, then collects all garbage, then writes the memory that is held.
 */
const RESOLUTION_MS = 1;
const file = process.env['SANDPIPER_BENCH_METER'] ?? '';
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
let cpu = process.cpuUsage();
let since = performance.now();

process.on('SIGUSR2', () => {
  const used = process.cpuUsage(cpu);
  const ms = performance.now() - since;
  // What is recorded is the time from one tick of a timer to the next, the timer's own pause included.
  const stall = (/** @type {number} */ share) => Math.max(0, delays.percentile(share) / 1e6 - RESOLUTION_MS);
  const report = { ms, cores: (used.user + used.system) / 1000 / ms, stallP99Ms: stall(99), stallP999Ms: stall(99.9) };
  const rssKb = process.memoryUsage.rss() / 1024;
  globalThis.gc?.();
  globalThis.gc?.();
  setTimeout(() => {
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(file, JSON.stringify({ ...report, rssKb, heldKb: (heapUsed + external) / 1024 }));
    delays.reset();
    cpu = process.cpuUsage();
    since = performance.now();
  }, 500);
});
