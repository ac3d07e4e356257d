import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionState, ToolItem } from '../../protocol/session.ts';
import { eventually } from './eventually.ts';
import { freePort } from './freePort.ts';
import { turnScript } from './turns.ts';
import { DaytonaEmulator } from './vendors/daytona/daytonaEmulator.ts';
import { E2bEmulator } from './vendors/e2b/e2bEmulator.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

const LONG_MS = 90_000;
const patience = { timeoutMs: 60_000 };

/** Between turns, and nothing is under way. */
const isResting = ({ phase, turns, moving, recovering }: SessionState, count: number) =>
  phase.kind === 'idle' && turns.length === count && !moving && !recovering;

/** A relay on this machine with two vendors beside it, and sessions that go from one to the other. */
export class Moves {
  readonly shop: Workshop;
  readonly e2b: E2bEmulator;
  readonly daytona: DaytonaEmulator;

  private constructor(shop: Workshop, e2b: E2bEmulator, daytona: DaytonaEmulator) {
    this.shop = shop;
    this.e2b = e2b;
    this.daytona = daytona;
  }

  static async open(env: Record<string, string> = {}): Promise<Moves> {
    const [e2b, daytona, port] = await Promise.all([E2bEmulator.start(), DaytonaEmulator.start(), freePort()]);
    try {
      const shop = await openWorkshop({
        ...e2b.env,
        ...daytona.env,
        SANDPIPER_PUBLIC_URL: `http://127.0.0.1:${port}`,
        SANDPIPER_GATEWAY_PORT: String(port),
        SANDPIPER_SPARE_SANDBOXES: '0',
        ...env,
      });
      return new Moves(shop, e2b, daytona);
    } catch (error) {
      await Promise.all([e2b.close(), daytona.close()]);
      throw error;
    }
  }

  async dispose(): Promise<void> {
    await this.shop.dispose();
    await Promise.all([this.e2b.close(), this.daytona.close()]);
    // A relay that is killed cuts its calls.
    const violations = [...this.e2b.violations, ...this.daytona.violations];
    assert.deepEqual(
      violations.filter(text => !text.endsWith('Error: aborted')),
      [],
    );
  }

  /** A session on this machine after one turn, with files that no checkpoint has. */
  async worked(): Promise<string> {
    const id = await this.shop.begin(scriptOf(1));
    await this.rest(id, 1);
    const workspace = await this.shop.workspace(id);
    await writeFile(join(workspace, 'later.txt'), 'later\n');
    await writeFile(join(workspace, 'node_modules'), 'ignored\n');
    return id;
  }

  begin(sessionId: string, provider: string, stop = false): Promise<{ move: number }> {
    return this.shop.client.call('session.move', { sessionId, provider, stop }, patience);
  }

  /** Until it has had so many turns and nothing is under way. */
  async rest(sessionId: string, turns: number, provider?: string): Promise<SessionState> {
    const what = `${turns} turns${provider === undefined ? '' : ` and at ${provider}`}`;
    const isThere = (state: SessionState) => provider === undefined || state.provider === provider;
    const fits = (state: SessionState) => isResting(state, turns) && isThere(state);
    // Nobody is there to mend one that is blocked: waiting on tells no more.
    const isOver = (state: SessionState) => state.phase.kind === 'blocked' || fits(state);
    const state = await this.shop.until(sessionId, what, isOver, LONG_MS);
    assert.ok(fits(state), `${JSON.stringify(state.phase)}\n${this.shop.relay.log}`);
    return state;
  }

  /** Until the session is somewhere and nothing is under way. */
  at(sessionId: string, provider: string, turns = 1): Promise<SessionState> {
    return this.rest(sessionId, turns, provider);
  }

  /** One more turn, in which the agent sees every file and remembers every turn, and nobody had to be recovered. */
  async next(sessionId: string, turn: number): Promise<SessionState> {
    await this.shop.send(sessionId, scriptOf(turn));
    const state = await this.rest(sessionId, turn);
    const numbers = Array.from({ length: turn }, (_, index) => index + 1);
    const shown = state.items.findLast((item): item is ToolItem => item.kind === 'tool')?.output?.text;
    assert.equal(shown, ['ignored', 'later', ...numbers].join('\n'));
    const told = this.shop.model
      .lastConversation()
      .flatMap(({ text }) => /^(?:prompt|answer) \d+$/.exec(text)?.[0] ?? []);
    assert.deepEqual(told, numbers.flatMap(number => [`prompt ${number}`, `answer ${number}`]).slice(0, -1));
    assert.deepEqual(
      state.turns.map(({ agent }) => agent?.outcome),
      numbers.map(() => 'completed'),
    );
    const bodies = (await this.shop.events(sessionId)).map(({ body }) => body);
    assert.ok(bodies.every(body => body.type !== 'recoveryStarted' && body.type !== 'sandboxLost'));
    assert.ok(bodies.every(body => body.type !== 'agentEnded' || body.expected));
    return state;
  }

  /** How many sandboxes there are: on this machine, at E2B, at Daytona. */
  async counts(): Promise<[number, number, number]> {
    const local = await readdir(join(this.shop.dataFolder, 'sandboxes'));
    return [local.length, this.e2b.machines.size, this.daytona.machines.size];
  }

  async only(local: number, e2b: number, daytona: number): Promise<void> {
    await eventually(async () => assert.deepEqual(await this.counts(), [local, e2b, daytona]), 30_000);
  }

  async remove(sessionId: string): Promise<void> {
    await this.shop.client.call('session.delete', { sessionId }, patience);
    await this.only(0, 0, 0);
  }

  async kill(): Promise<void> {
    await this.shop.relay.stop('SIGKILL');
    await this.shop.relay.start();
  }
}

function scriptOf(turn: number): string {
  const more = turn === 1 ? 'true' : 'cat node_modules later.txt all.txt';
  return `prompt ${turn} @@${JSON.stringify(turnScript(turn, more))}`;
}
