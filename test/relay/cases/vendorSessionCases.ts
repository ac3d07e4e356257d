import assert from 'node:assert/strict';
import type { SessionState, ToolItem } from '../../../protocol/session.ts';
import { freePort } from '../../support/freePort.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../../support/workshop.ts';

export interface SessionVendor {
  /** What points a relay at it. */
  env: Record<string, string>;
  apiKey: string;
  machines: ReadonlyMap<string, unknown>;
  violations: string[];
}

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const said = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));
const tools = (state: SessionState) => state.items.filter((item): item is ToolItem => item.kind === 'tool');
const LONG_MS = 90_000;

/** Whole sessions of the real Claude Code on a vendor's machine, which reaches the scripted model through the relay. */
export function vendorSessionCases(
  provider: 'e2b' | 'daytona' | 'kubernetes',
  vendor: () => SessionVendor,
  /** Absent: none ever sleeps. */
  sleep?: {
    /** Pauses or stops a machine. */
    begin(id: string): Promise<void>;
    keepsProcesses: boolean;
  },
): void {
  let shop: Workshop;

  before(async function () {
    this.timeout(60_000);
    const port = await freePort();
    shop = await openWorkshop({
      ...vendor().env,
      SANDPIPER_PUBLIC_URL: `http://127.0.0.1:${port}`,
      SANDPIPER_GATEWAY_PORT: String(port),
    });
  });

  after(async function () {
    this.timeout(60_000);
    await shop?.dispose();
    assert.deepEqual(vendor().violations, []);
  });

  const fileOf = async (sessionId: string, path: string) =>
    (await shop.client.call('changes.file', { sessionId, side: 'proposed', path })).content;
  const sandboxOf = async (sessionId: string): Promise<string> => {
    const ready = (await shop.events(sessionId)).findLast(({ body }) => body.type === 'sandboxReady')?.body;
    assert.ok(ready?.type === 'sandboxReady');
    return ready.sandboxId;
  };

  it('clones, works, makes checkpoints, and keeps every key out', async () => {
    const look =
      'env; cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n"; cat ~/.claude.json; ls -la ~ /; grep -rs KEY ~';
    const id = await shop.begin(
      [
        { tool: 'Bash', input: { command: 'echo new > added.txt && rm README.md && pwd' } },
        { tool: 'Bash', input: { command: look } },
        { text: 'Done.' },
      ],
      { provider },
    );
    const first = await shop.until(id, 'one turn', idle(1), LONG_MS);
    assert.deepEqual([first.turns[0]?.agent?.outcome, said(first)], ['completed', ['Done.']]);
    assert.match(tools(first)[0]?.output?.text ?? '', /\/sandpiper\/workspace/);
    const { files } = await shop.client.call('changes.list', { sessionId: id });
    assert.deepEqual(files.map(file => `${file.status} ${file.path}`).sort(), ['added added.txt', 'deleted README.md']);
    const events = JSON.stringify(await shop.events(id));
    assert.match(events, /ANTHROPIC_BASE_URL/);
    assert.equal(events.includes(REAL_KEY), false);
    assert.equal(events.includes(vendor().apiKey), false);

    await shop.send(id, [{ tool: 'Bash', input: { command: 'cat added.txt >> more.txt' } }, { text: 'Again.' }]);
    const second = await shop.until(id, 'two turns', idle(2), LONG_MS);
    assert.deepEqual(said(second), ['Done.', 'Again.']);
    assert.equal(await fileOf(id, 'more.txt'), 'new\n');
    assert.equal(shop.relay.log.includes(vendor().apiKey), false);
  });

  it('goes on with the same agent when the relay is killed in the middle of a turn', async () => {
    const id = await shop.begin(
      [
        { tool: 'Bash', input: { command: 'echo begun > begun.txt; sleep 1' } },
        { text: 'Half.', tool: 'Bash', input: { command: 'sleep 3; echo ended > ended.txt' } },
        { text: 'The end.' },
      ],
      { provider },
    );
    // The first call to the model after this finds no relay, or one that has just started.
    await shop.until(id, 'the tool runs', state => tools(state).length === 1, LONG_MS);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    await shop.until(id, 'the next tool runs', state => tools(state).length === 2, LONG_MS);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    const state = await shop.until(id, 'one turn', idle(1), LONG_MS);
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
    assert.equal(state.agent.segment, 1, 'the agent was never started again');
    assert.deepEqual(said(state), ['Half.', 'The end.']);
    assert.equal(await fileOf(id, 'ended.txt'), 'ended\n');
    const seen = (await shop.events(id)).map(event => JSON.stringify(event.body));
    assert.equal(new Set(seen).size, seen.length, 'no event came twice');
  });

  it('goes on in another sandbox when its own vanished in the middle of a turn', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'echo one > one.txt' } }, { text: 'first' }], {
      provider,
    });
    await shop.until(id, 'one turn', idle(1), LONG_MS);
    const old = await sandboxOf(id);
    await shop.send(id, [{ tool: 'Bash', input: { command: 'cat one.txt > two.txt; sleep 4' } }, { text: 'second' }]);
    await shop.until(id, 'the tool runs', state => tools(state).length === 2, LONG_MS);
    await vanish(vendor().machines.get(old));
    const state = await shop.until(id, 'the turn anew', idle(3), LONG_MS);
    assert.deepEqual(
      state.turns.map(turn => turn.agent?.outcome),
      ['completed', 'failed', 'completed'],
    );
    assert.equal(await fileOf(id, 'two.txt'), 'one\n');
    assert.notEqual(await sandboxOf(id), old);
  });

  if (sleep) {
    it('wakes its sandbox for the next turn when the vendor put it to sleep', async () => {
      const id = await shop.begin([{ tool: 'Bash', input: { command: 'echo one > one.txt' } }, { text: 'first' }], {
        provider,
      });
      await shop.until(id, 'one turn', idle(1), LONG_MS);
      const before = await sandboxOf(id);
      await sleep.begin(before);
      if (!sleep.keepsProcesses) {
        await shop.until(id, 'the end of the agent', ({ agent }) => !agent.running, LONG_MS);
      }
      await shop.send(id, [{ tool: 'Bash', input: { command: 'cat one.txt > two.txt' } }, { text: 'second' }]);
      const state = await shop.until(id, 'two turns', idle(2), LONG_MS);
      assert.equal(state.turns[1]?.agent?.outcome, 'completed');
      assert.equal(await fileOf(id, 'two.txt'), 'one\n');
      assert.equal(await sandboxOf(id), before);
    });
  }

  it('takes the sandbox of a session that is deleted away', async () => {
    const id = await shop.begin([{ text: 'first' }], { provider });
    await shop.until(id, 'one turn', idle(1), LONG_MS);
    const sandbox = await sandboxOf(id);
    assert.ok(vendor().machines.has(sandbox));
    await shop.client.call('session.delete', { sessionId: id });
    assert.equal(vendor().machines.has(sandbox), false);
  });
}

async function vanish(machine: unknown): Promise<void> {
  const end: unknown =
    typeof machine === 'object' && machine !== null
      ? (Reflect.get(machine, 'kill') ?? Reflect.get(machine, 'destroy'))
      : undefined;
  assert.ok(typeof end === 'function');
  await Reflect.apply(end, machine, []);
}
