import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';
import { makeSample } from '../../scripts/demo/sample.ts';
import { startCodeServer } from '../../test/support/codeServer.ts';
import { runHostTests } from '../../test/support/hostTests.ts';
import { median, medianRatio, type Bench, type Measurement } from '../figure.ts';
import { buildProduct } from '../support/buildProduct.ts';

const PRINTED = 'activation ';
const durationsSchema = z.object({ load: z.number(), activate: z.number() });

/** Loading and activating, by the extension host's own marks: ours and VS Code's git extension in the same window. */
export const activation: Measurement = {
  figures: [
    { name: 'activation-over-vscode-git', unit: 'ratio', aim: 0.5 },
    { name: 'activation-ms', unit: 'ms', aim: 50 },
  ],
  needs: ['vscodeServer', 'chromium'],
  async take(bench) {
    const workspace = join(bench.folder, 'sample');
    await makeSample(workspace);
    const { extension, tests } = await buildProbe(bench);
    const server = await startCodeServer({
      extensions: [await buildProduct()],
      smokeTestDriver: true,
      // The relay is no part of activation, and must not outlive the window.
      settings: { 'sandpiper.relay.startAutomatically': false },
    });
    bench.defer(() => server.stop());
    const ours: number[] = [];
    const floor: number[] = [];
    const parts: unknown[] = [];
    // The first window also fills the caches of the file system and of V8.
    for (let round = 0; round <= bench.rounds; round++) {
      let printed = '';
      const print = (line: string): void => {
        printed = line.startsWith(PRINTED) ? line.slice(PRINTED.length) : printed;
      };
      const code = await runHostTests(server, { extension, tests, workspace, print });
      if (code !== 0 || printed === '') {
        throw new Error(`The window's extension host answered nothing (${code}).\n${server.output()}`);
      }
      const [own, git] = z.tuple([durationsSchema, durationsSchema]).parse(JSON.parse(printed));
      if (round > 0) {
        ours.push(own.load + own.activate);
        floor.push(git.load + git.activate);
        parts.push({ own, git });
      }
      bench.report(`round ${round}: ${own.load}+${own.activate} against ${git.load}+${git.activate} ms`);
    }
    return {
      'activation-ms': { value: median(ours), raw: { unit: 'ms', ours, floor } },
      'activation-over-vscode-git': { value: medianRatio(ours, floor), raw: { unit: 'ms', ours, floor, parts } },
    };
  },
};

/** An empty extension under development, which a window for tests must have, and the probe as its tests. */
async function buildProbe({ folder }: Bench): Promise<{ extension: string; tests: string }> {
  const extension = join(folder, 'probe');
  await mkdir(extension);
  const manifest = { name: 'probe', publisher: 'bench', version: '0.0.0', engines: { vscode: '*' } };
  await writeFile(join(extension, 'package.json'), JSON.stringify(manifest));
  const tests = join(extension, 'probe.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../support/activationProbe.ts')],
    outfile: tests,
    bundle: true,
    external: ['vscode'],
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  });
  return { extension, tests };
}
