import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'mocha';
import type { RelayClient } from '../../client/relayClient.ts';
import type { SessionState } from '../../protocol/session.ts';
import { takeAgentCensus, type AgentCensus } from '../support/agentCensus.ts';
import { eventually } from '../support/eventually.ts';
import { joinRelay } from '../support/joinRelay.ts';
import { MAIN, temporaryFolder, type RelayProcess } from '../support/relayProcess.ts';
import { isStopped, untilStopped } from '../support/stoppedProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const STOP_AT = new URL('../support/stopRelayAt.ts', import.meta.url).href;
const LEASE_MS = 1000;
const TAKEN_OVER = 5;

describe('a relay that hangs past its lease', function () {
  this.timeout(180_000);
  let shop: Workshop;
  let client: RelayClient;
  let census: AgentCensus | undefined;
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;

  before(async () => {
    scratch = await temporaryFolder();
  });
  after(() => scratch.remove());

  /** @param hook where the old relay stops by itself, and until when (stopRelayAt.ts) */
  async function open(hook: Record<string, string> = {}): Promise<void> {
    shop = await openWorkshop({ SANDPIPER_LEASE_MS: String(LEASE_MS), ...hook }, ['--import', STOP_AT, MAIN]);
    client = joinRelay(shop.dataFolder);
    let ids: string[] = [];
    census = takeAgentCensus(() => ids);
    const sandboxes = join(shop.dataFolder, 'sandboxes');
    void eventually(async () => {
      ids = (await readdir(sandboxes)).filter(name => !name.startsWith('.'));
      assert.notEqual(ids.length, 0);
    }, 30_000).catch(() => {});
  }

  afterEach(async () => {
    census?.stop();
    // One that hangs would not end; one that works ends its agents first.
    if (shop.relay.pid !== undefined && (await isStopped(shop.relay.pid))) {
      await shop.relay.stop('SIGKILL');
    }
    client.dispose();
    await shop.dispose();
  });

  async function takeOver(): Promise<RelayProcess> {
    const relay = shop.another();
    await relay.start();
    client.dispose();
    client = joinRelay(shop.dataFolder);
    return relay;
  }

  async function until(sessionId: string, what: string, fits: (state: SessionState) => boolean): Promise<SessionState> {
    return eventually(async () => {
      const state = await client.call('session.get', { sessionId });
      assert.ok(fits(state), `${what}: ${JSON.stringify(state.phase)} ${shop.relay.log}`);
      return state;
    }, 40_000);
  }

  /** Every event and every work once, one agent at a time, and the old relay gone by itself. */
  async function checkNothingLanded(id: string, heir: RelayProcess, turns: number): Promise<void> {
    assert.equal(await shop.relay.ended(), TAKEN_OVER, shop.relay.log);
    assert.match(shop.relay.log, /Another relay has taken over: this one was stopped for too long and ends/);
    const { events } = await client.call('session.events', { sessionId: id, limit: 1000 });
    assert.deepEqual(
      events.map(event => event.seq),
      events.map((_, index) => index + 1),
    );
    const count = (type: string) => events.filter(({ body }) => body.type === type).length;
    assert.deepEqual([count('messageTaken'), count('turnFinished'), count('agentEnded')], [turns, turns, 0]);
    assert.equal(count('agentStarted'), 1, 'no second agent');
    const { content } = await client.call('changes.file', { sessionId: id, side: 'proposed', path: 'work.txt' });
    assert.equal(content, Array.from({ length: turns }, (_, index) => `${index}\n`).join(''));
    assert.deepEqual(census?.overlaps, []);
    assert.equal(census?.seen.size, 1, [...(census?.seen ?? [])].join('\n'));
    assert.ok(census.looks > 20);
    const address: unknown = JSON.parse(await readFile(join(shop.dataFolder, 'relay.json'), 'utf8'));
    assert.ok(typeof address === 'object' && address && 'pid' in address && address.pid === heir.pid);
  }

  const points = {
    start: 'before it starts the agent that the log announces',
    spawn: 'within the start of the agent, after all checks',
    input: 'before it writes an input that is durable',
  };
  for (const [point, where] of Object.entries(points)) {
    it(`${where}: another goes on, and what the old one wakes up to do does not happen`, async () => {
      const waking = join(scratch.path, `wake-${point}`);
      await open({ TEST_STOP_AT: point, TEST_STOP_UNTIL: waking });
      const id = await shop.begin(work(0));
      await untilStopped(shop.relay.pid ?? 0);
      const relay = await takeOver();
      await until(id, 'the turn', idle(1));
      await client.call('session.send', { sessionId: id, text: prompt(1) });
      await until(id, 'the second turn', idle(2));
      await writeFile(waking, '');
      process.kill(shop.relay.pid ?? 0, 'SIGCONT');
      await shop.relay.ended();
      await client.call('session.send', { sessionId: id, text: prompt(2) });
      await until(id, 'the third turn', idle(3));
      await checkNothingLanded(id, relay, 3);
    });
  }

  it('in the middle of a turn: the same agent goes on, and so does its conversation', async () => {
    await open();
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo 0 >> work.txt; sleep 2' } },
      { text: 'Did 0.', deltas: 50, delayMs: 20 },
    ]);
    await shop.until(id, 'a tool runs', state => state.items.some(item => item.kind === 'tool'));
    process.kill(shop.relay.pid ?? 0, 'SIGSTOP');
    // It hears this when it wakes up, and must not remove what is the new owner's by then.
    process.kill(shop.relay.pid ?? 0, 'SIGTERM');
    const relay = await takeOver();
    assert.match(relay.log, /gives no sign of life/);
    await until(id, 'the turn', idle(1));
    await client.call('session.send', { sessionId: id, text: prompt(1) });
    await until(id, 'the second turn', idle(2));
    await checkNothingLanded(id, relay, 2);
  });

  it('in the middle of a write: the second says which process to end, and writes nothing', async () => {
    await open({ TEST_STOP_AT: 'commit' });
    const begun = shop.begin(work(0)).catch(() => {});
    await untilStopped(shop.relay.pid ?? 0);
    const pid = String(shop.relay.pid);
    await assert.rejects(takeOver(), new RegExp(`process ${pid} hangs in the middle of a write.*kill -9 ${pid}`));
    process.kill(Number(pid), 'SIGCONT');
    await begun;
    const [session] = (await client.call('session.list', {})).sessions;
    assert.ok(session, 'it is still the owner');
    await until(session.id, 'the turn', idle(1));
  });
});

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

/** A turn that leaves one line for each time it was done. */
function work(number: number) {
  return [{ tool: 'Bash', input: { command: `echo ${number} >> work.txt` } }, { text: `Did ${number}.` }];
}

function prompt(number: number): string {
  return `Please do this: @@${JSON.stringify(work(number))}`;
}
