import assert from 'node:assert/strict';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/relayProcess.ts';
import { agentsOf, processesWith, sandboxProcesses } from '../support/sandboxProcesses.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

/** What a person is promised of *Stop*. */
const LIMIT_MS = 10_000;
/** Length of a sleep by which the tests know a process that hangs. */
const HANG = '98761';

const ended = (state: SessionState) => state.turns.at(-1)?.agent !== undefined;
const said = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));

describe('Stop', function () {
  this.timeout(90_000);
  let shop: Workshop;
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    scratch = await temporaryFolder();
    await hangable('bwrap', { clone: '*"git init"*', agent: '*agent-run.sh*' });
    await hangable('git', { mirror: '*pack-objects*' });
    shop = await openWorkshop({ PATH: `${scratch.path}:${process.env['PATH'] ?? ''}` });
  });
  after(async () => {
    await shop.dispose();
    await scratch.remove();
  });

  const flag = (step: string) => join(scratch.path, `hang-${step}`);
  /** A program in front of the real one that hangs at a step, while a file of that name is there. */
  async function hangable(name: string, steps: Record<string, string>): Promise<void> {
    const path = join(scratch.path, name);
    const checks = Object.entries(steps).map(
      ([step, fits]) => `[ -e ${flag(step)} ] && case "$*" in ${fits}) exec /bin/sleep ${HANG};; esac\n`,
    );
    const real = `exec "$(PATH=/usr/local/bin:/usr/bin:/bin command -v ${name})" "$@"`;
    await writeFile(path, `#!/bin/sh\n${checks.join('')}${real}\n`);
    await chmod(path, 0o755);
  }
  const stop = (sessionId: string) => shop.client.call('session.stop', { sessionId });
  const nothingLeft = (id: string) =>
    eventually(async () => assert.deepEqual(await sandboxProcesses(shop, id), []), LIMIT_MS);

  async function stopsInTime(id: string): Promise<void> {
    assert.deepEqual(await stop(id), { stopping: true });
    const [state] = await Promise.all([shop.until(id, 'the turn is over', ended, LIMIT_MS), nothingLeft(id)]);
    assert.equal(state.turns.at(-1)?.agent?.outcome, 'stopped');
    await shop.send(id, [{ text: 'It goes on.' }]);
    const next = await shop.until(id, 'the next turn', seen => said(seen).includes('It goes on.'), 40_000);
    assert.ok(!said(next).includes('never'));
  }

  async function begin(command: string, more: object = {}): Promise<string> {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: `echo > begun.txt; ${command}`, ...more } },
      { tool: 'Bash', input: { command: 'for n in 1 2 3 4 5 6 7 8 9; do sleep 1.9; done' } },
      { text: 'never' },
    ]);
    await eventually(async () => readFile(join(await shop.workspace(id), 'begun.txt')), 30_000);
    return id;
  }

  it('ends an agent that is paused', async () => {
    const id = await begin('while :; do sleep 1; done');
    (await agentsOf(shop, id)).forEach(pid => process.kill(pid, 'SIGSTOP'));
    await stopsInTime(id);
  });

  it('ends a tool that ignores every signal that it can', async () => {
    await stopsInTime(await begin("trap '' TERM INT HUP; while :; do sleep 1; done"));
  });

  it('ends what has left its parents behind', async () => {
    await stopsInTime(
      await begin('(setsid sh -c "sleep 300 & sleep 301" >/dev/null 2>&1 &); while :; do sleep 1; done'),
    );
  });

  it('ends what runs in the background', async () => {
    await stopsInTime(await begin('sleep 300', { run_in_background: true }));
  });

  for (const step of ['mirror', 'clone', 'agent']) {
    it(`ends what prepares a session when the program for its ${step} hangs, and Recover goes on`, async () => {
      const repository = join(scratch.path, `sample-${step}`);
      await makeSample(repository);
      await writeFile(flag(step), '');
      const id = await shop.begin([{ text: `after ${step}` }], { source: repository });
      await eventually(async () => assert.notDeepEqual(await processesWith(`sleep ${HANG}`), []), 30_000);
      assert.deepEqual(await stop(id), { stopping: true });
      await shop.until(id, 'it is stopped', state => state.phase.kind === 'blocked', LIMIT_MS);
      await eventually(async () => assert.deepEqual(await processesWith(`sleep ${HANG}`), []), LIMIT_MS);
      await nothingLeft(id);
      await rm(flag(step));
      assert.deepEqual(await shop.client.call('session.retry', { sessionId: id }), { recovering: true });
      const state = await shop.until(id, 'the turn', seen => said(seen).length === 1, 40_000);
      assert.deepEqual(said(state), [`after ${step}`]);
    });
  }
});
