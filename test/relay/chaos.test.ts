import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { ROOT, testMark } from '../support/relayProcess.ts';

/** A short run of `npm run chaos`; docs/chaos.md says how to run a long one. */
const SEEDS = [11, 12];
const KILLS = 15;

const resultSchema = z.looseObject({
  kills: z.int(),
  events: z.int(),
  lost: z.int(),
  duplicated: z.int(),
  orphans: z.int(),
  stuck: z.int(),
  broken: z.int(),
  agentsLost: z.int(),
});

describe('chaos', function () {
  this.timeout(240_000);
  for (const seed of SEEDS) {
    it(`finds nothing lost, repeated, orphaned or stuck after ${KILLS} kills (seed ${seed})`, async () => {
      const { stdout, stderr } = await runChaos(
        `--kills ${KILLS} --seed ${seed} --events-per-kill 15 --sessions 3 --messages 4 --json`.split(' '),
      );
      const result = resultSchema.parse(JSON.parse(stdout));
      const { lost, duplicated, orphans, stuck, broken, agentsLost } = result;
      assert.deepEqual(
        { lost, duplicated, orphans, stuck, broken, agentsLost },
        { lost: 0, duplicated: 0, orphans: 0, stuck: 0, broken: 0, agentsLost: 0 },
        `${JSON.stringify(result, null, 1)}\n${stderr}`,
      );
      assert.equal(result.kills, KILLS);
      assert.ok(result.events > KILLS * 10, `${result.events} events`);
    });
  }
});

/** Its exit code says the same as its counts, which say more. */
function runChaos(flags: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [join(ROOT, 'chaos/main.ts'), ...flags],
      { env: { ...process.env, ...testMark() }, maxBuffer: 16 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ stdout, stderr }),
    );
  });
}
