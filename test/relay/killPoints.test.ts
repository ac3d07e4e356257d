import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'mocha';
import type { SessionEvent } from '../../protocol/events.ts';
import type { SessionState } from '../../protocol/session.ts';
import { agentProcesses } from '../support/agentProcesses.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

/** More of them find more; the seed of a failure is in its message. */
const KILLS = Number(process.env['SANDPIPER_TEST_KILLS'] ?? 8);
const SEED = Number(process.env['SANDPIPER_TEST_SEED'] ?? Date.now() % 100_000);

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a relay that is killed at any instant', function () {
  this.timeout(60_000 + KILLS * 10_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  async function kill(): Promise<void> {
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
  }

  it('goes on after each step of a session', async () => {
    const steps: [string, (state: SessionState) => boolean][] = [
      ['the mirror is read', state => state.phase.kind === 'preparing'],
      ['the sandbox is made', state => state.phase.kind !== 'preparing' || state.phase.step !== 'mirror'],
      ['the clone is made', past(['mirror', 'sandbox'])],
      ['the agent is started', past(['mirror', 'sandbox', 'clone'])],
      ['the agent runs', state => state.agent.running],
      ['the message is sent', state => delivery(state) !== 'queued'],
      ['the turn began', state => state.turns.length > 0],
      ['the agent asks', state => state.approvals.length > 0],
    ];
    const id = await shop.begin(work(0), { permissionMode: 'ask' });
    await kill();
    for (const [what, fits] of steps) {
      await shop.until(id, what, fits, 30_000);
      await kill();
    }
    const [approval] = (await shop.until(id, 'the question', state => state.approvals.length > 0)).approvals;
    await allow(id, approval?.id ?? '');
    await kill();
    await shop.until(id, 'the agent stopped', state => state.turns[0]?.agent !== undefined, 30_000);
    await kill();
    await shop.until(id, 'one turn', idle(1), 30_000);
    await kill();
    await sendSurely(id, prompt(1));
    await kill();
    const answering = answerAll([id]);
    await shop.until(id, 'two turns', idle(2), 30_000);
    await answering.stop();
    await checkSession(id, 2);
  });

  it(`loses and repeats nothing in ${KILLS} kills (seed ${SEED})`, async () => {
    const random = generator(SEED);
    const first = await shop.begin(work(0));
    const asking = await shop.begin(work(0), { permissionMode: 'ask' });
    const sessions = [
      { id: first, messages: 1 },
      { id: asking, messages: 1 },
    ];
    const answering = answerAll([first, asking]);
    for (let kills = 0; kills < KILLS; kills++) {
      const session = sessions[Math.floor(random() * sessions.length)];
      const sending = session && random() < 0.4 ? sendSurely(session.id, prompt(session.messages++)) : undefined;
      await sleep(random() * 1500);
      await kill();
      await sending;
    }
    for (const { id, messages } of sessions) {
      await shop.until(id, `all turns (seed ${SEED})`, idle(messages), 60_000);
      await checkSession(id, messages);
    }
    await answering.stop();
  });

  /** Every message was worked on once, by one agent, and the log tells it once. */
  async function checkSession(id: string, messages: number): Promise<void> {
    const events = await shop.events(id);
    assert.deepEqual(
      events.map(event => event.seq),
      events.map((_, index) => index + 1),
    );
    // Preparing is done again from the start, and the model's answers break with the relay; all else happens once.
    const repeated = ['preparing', 'sandboxReady', 'modelRetrying'];
    const once = events.filter(({ body }) => !repeated.includes(body.type));
    const seen = once.map(event => JSON.stringify(event.body));
    assert.deepEqual(
      seen.filter((body, index) => seen.indexOf(body) !== index),
      [],
    );
    assert.equal(count(events, 'messageTaken'), messages);
    assert.equal(count(events, 'turnFinished'), messages);
    assert.equal(count(events, 'agentStarted'), 1, 'no second agent');
    const state = await shop.client.call('session.get', { sessionId: id });
    assert.deepEqual(
      state.turns.map(({ agent, messageIds }) => [agent?.outcome, messageIds.length]),
      state.turns.map(() => ['completed', 1]),
      JSON.stringify(state.turns),
    );
    const { content } = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'work.txt' });
    assert.equal(content, Array.from({ length: messages }, (_, index) => `${index}\n`).join(''));
    await shop.client.call('session.archive', { sessionId: id, archived: true });
    await eventually(async () => assert.deepEqual(await agentProcesses(shop, id), []));
  }

  /** The client calls again with the same key until a relay answers (I3). */
  const patience = { timeoutMs: 60_000 };
  async function sendSurely(sessionId: string, text: string): Promise<void> {
    await shop.client.call('session.send', { sessionId, text }, patience);
  }
  async function allow(sessionId: string, approvalId: string): Promise<void> {
    await shop.client.call('session.answer', { sessionId, approvalId, decision: { kind: 'allow' } }, patience);
  }

  /** Allows whatever the agents ask. */
  function answerAll(ids: readonly string[]): { stop(): Promise<void> } {
    const answered = new Map<string, Promise<void>>();
    const following = ids.map(id =>
      shop.client.follow(id, ({ state }) => {
        for (const { id: approvalId } of state?.approvals ?? []) {
          if (!answered.has(approvalId)) {
            answered.set(approvalId, allow(id, approvalId));
          }
        }
      }),
    );
    return {
      stop: async () => {
        following.forEach(each => each.dispose());
        await Promise.all(answered.values());
      },
    };
  }
});

/** A turn that leaves one line for each time it was done. */
function work(number: number) {
  return [
    { tool: 'Bash', input: { command: `echo ${number} >> work.txt; sleep 0.3` } },
    { text: `Did ${number}.`, deltas: 5, delayMs: 40 },
  ];
}

function prompt(number: number): string {
  return `Please do this: @@${JSON.stringify(work(number))}`;
}

function past(steps: readonly string[]) {
  return (state: SessionState) => state.phase.kind !== 'preparing' || !steps.includes(state.phase.step);
}

function delivery(state: SessionState): string | undefined {
  const first = state.items.find(item => item.kind === 'message');
  return first?.kind === 'message' ? first.delivery : undefined;
}

function count(events: readonly SessionEvent[], type: string): number {
  return events.filter(({ body }) => body.type === type).length;
}

/** Numbers from 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
