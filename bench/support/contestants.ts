import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeSample } from '../../scripts/demo/sample.ts';
import type { Bench } from '../figure.ts';
import { BenchRelay } from './benchRelay.ts';
import { startModelProcess, type ModelProcess } from './modelProcess.ts';
import { RawClaude } from './rawClaude.ts';

const run = promisify(execFile);

/** One warm session and one warm `claude` on a pipe, each in its own clone of the same repository, with one model. */
export interface Contestants {
  model: ModelProcess;
  relay: BenchRelay;
  sessionId: string;
  raw: RawClaude;
}

/** Starts both; they end with the measurement. */
export async function startContestants(bench: Bench): Promise<Contestants> {
  const model = await startModelProcess();
  bench.defer(() => model.stop());
  const repository = join(bench.folder, 'sample');
  await makeSample(repository);
  const workspace = join(bench.folder, 'raw');
  await run('git', ['clone', '--quiet', repository, workspace]);
  const raw = await RawClaude.start({ modelUrl: model.url, workspace, home: join(bench.folder, 'home') });
  bench.defer(() => raw.stop());
  await raw.turn('SCN:deltas:1:0:first');
  const relay = await BenchRelay.start(bench, 'data', { modelUrl: model.url });
  return { model, relay, raw, sessionId: await relay.createWarm(repository) };
}
