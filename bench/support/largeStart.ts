import { join } from 'node:path';
import type { Bench } from '../figure.ts';
import { BenchRelay } from './benchRelay.ts';
import { makeLargeRepository } from './largeRepository.ts';
import { startModelProcess } from './modelProcess.ts';

/** What every session of it is asked for: one word. */
export const ONE_WORD = 'SCN:deltas:1:0:only';

/** A relay, with no sandboxes kept ready unless `env` says so, and a repository of more than 20 000 files; they end with the measurement. */
export async function openLargeRelay(
  bench: Bench,
  env: Record<string, string> = {},
): Promise<{ source: string; relay: BenchRelay }> {
  const source = join(bench.folder, 'large');
  await makeLargeRepository(source);
  const model = await startModelProcess();
  bench.defer(() => model.stop());
  return { source, relay: await BenchRelay.start(bench, 'data', { modelUrl: model.url, env }) };
}

/** Milliseconds from the call to a running agent, in a session of its own. */
export async function timeStart(relay: BenchRelay, source: string): Promise<number> {
  const startedAt = performance.timeOrigin + performance.now();
  const sessionId = await relay.create({ source, prompt: ONE_WORD });
  const agentAt = await relay.until(sessionId, state => state.agent.running);
  // The rest of its work must not fall into the next measurement.
  await relay.until(sessionId, state => state.turns[0]?.checkpoint !== undefined);
  await relay.archive(sessionId);
  return agentAt - startedAt;
}
