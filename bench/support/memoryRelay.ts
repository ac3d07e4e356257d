import { join } from 'node:path';
import { makeSample } from '../../scripts/demo/sample.ts';
import type { Bench } from '../figure.ts';
import { BenchRelay } from './benchRelay.ts';
import { startModelProcess } from './modelProcess.ts';

const COLLECTOR = join(import.meta.dirname, 'collectGarbage.mjs');

/** A relay that collects its garbage on SIGUSR2, so that its memory can be read, and a small repository for its sessions. */
export async function openMemoryRelay(
  bench: Bench,
  env: Record<string, string> = {},
): Promise<{ relay: BenchRelay; source: string }> {
  const model = await startModelProcess();
  bench.defer(() => model.stop());
  const source = join(bench.folder, 'sample');
  await makeSample(source);
  const nodeOptions = ['--expose-gc', '--import', COLLECTOR];
  return { relay: await BenchRelay.start(bench, 'data', { modelUrl: model.url, nodeOptions, env }), source };
}
