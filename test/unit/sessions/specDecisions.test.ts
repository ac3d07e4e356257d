import assert from 'node:assert/strict';
import type { EventOf } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { decideNext } from '../../../server/src/sessions/decisions.ts';
import { runtimeSchema } from '../../../server/src/sessions/runtime.ts';
import { planSpec, specEventsOf } from '../../../server/src/sessions/specDecisions.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import { SessionLog } from '../../support/sessionLog.ts';
import { command, specOf } from '../../support/specs.ts';

const FAILURE = { code: 'model_key_rejected', message: 'The key was rejected.', retryable: false };

/** A build of a spec with two checks, at some point of its way. */
class Build extends SessionLog {
  readonly messageId = `msg_${'1'.repeat(26)}`;
  #turns = 0;

  constructor(budget: Partial<NonNullable<EventOf<'specWorkStarted'>['budget']>> = {}) {
    super();
    this.ready();
    const document = specOf('S', { One: [command('a')], Two: [command('b')] });
    const spec = { specId: `spc_${'1'.repeat(26)}`, revision: 1, title: 'S' };
    this.add(
      {
        type: 'specWorkStarted',
        kind: 'build',
        spec,
        document,
        budget: { maxTurns: 10, stuckAfter: 3, ...budget },
        messageId: this.messageId,
        by: 'owner',
      },
      { type: 'messageQueued', messageId: this.messageId, text: 'Build', by: 'owner' },
      { type: 'messageSent', messageId: this.messageId },
    );
  }

  get work(): number {
    return this.state.spec?.seq ?? 0;
  }

  /** A whole turn, which costs $0.12. */
  turnDone(outcome: 'completed' | 'failed' | 'stopped' = 'completed', failure?: typeof FAILURE): void {
    const turn = ++this.#turns;
    const message = this.state.items.findLast(item => item.kind === 'message');
    const messageId = message?.id ?? '';
    this.add({ type: 'turnStarted', turn, messageIds: [messageId] }, { type: 'messageTaken', messageId });
    const usage = { ...NO_USAGE, costUsd: 0.12 };
    const { stats, review, base } = this.state;
    this.add(
      { type: 'agentFinished', turn, outcome, usage, durationMs: 1, ...(failure ? { failure } : {}) },
      { type: 'turnFinished', turn, outcome, checkpoint: base, changed: false, stats, review },
    );
  }

  /** Writes down what is due, until something else is. */
  decide(afterMs = 1000): void {
    this.addAfter(afterMs, ...specEventsOf(this.state, this.state.updatedAt + afterMs));
  }

  check(key: string, outcome: 'passed' | 'failed'): void {
    const round = this.state.spec?.round?.number ?? 0;
    this.add({ type: 'specChecked', work: this.work, round, check: key, outcome, detail: 'x', durationMs: 1 });
  }

  /** A round of checks, and what is decided then. */
  round(one: 'passed' | 'failed', two: 'passed' | 'failed', afterMs = 1000): void {
    this.decide();
    this.check('1.1', one);
    this.check('2.1', two);
    this.decide(afterMs);
  }
}

const kindOf = (state: SessionState) => planSpec(state).kind;

describe('the building of a spec', () => {
  const runtime = runtimeSchema.parse({
    source: '/x',
    conversationId: '00000000-0000-4000-8000-000000000000',
    acceptNoIsolation: false,
    cloned: true,
    sandbox: { provider: 'local', id: 'x' },
    inputs: 0,
    answerContexts: {},
    turnUsage: NO_USAGE,
  });

  it('waits for its message and its turn, then checks one after the other', () => {
    const build = new Build();
    assert.equal(kindOf(build.state), 'none');
    build.turnDone();
    assert.equal(kindOf(build.state), 'beginRound');
    build.decide();
    assert.deepEqual(decideNext(build.state, runtime, true), { kind: 'check' });
    const { sandbox: _sandbox, ...lost } = runtime;
    assert.deepEqual(decideNext(build.state, lost, true), { kind: 'prepareSandbox' });
    build.check('1.1', 'passed');
    const plan = planSpec(build.state);
    assert.equal(plan.kind === 'check' ? plan.next.key : plan.kind, '2.1');
  });

  it('counts the first result of a check, whoever says another', () => {
    const build = new Build();
    build.turnDone();
    build.decide();
    build.check('1.1', 'failed');
    build.check('1.1', 'passed');
    assert.equal(build.state.spec?.round?.results['1.1']?.outcome, 'failed');
  });

  it('asks for one more turn, once', () => {
    const build = new Build();
    build.turnDone();
    build.round('passed', 'failed');
    const asked = build.state.items.filter(item => item.kind === 'message' && item.by === 'relay');
    assert.equal(asked.length, 1);
    assert.equal(kindOf(build.state), 'none', 'the message is to be handed over');
    const [message] = asked;
    build.add({ type: 'messageSent', messageId: message?.id ?? '' });
    build.add({ type: 'messageTaken', messageId: message?.id ?? '' });
    assert.equal(kindOf(build.state), 'none', 'the agent has it, and its turn has not begun');
    assert.deepEqual(specEventsOf(build.state, 0), []);
  });

  it('ends when all pass', () => {
    const build = new Build();
    build.turnDone();
    build.round('passed', 'passed');
    assert.equal(build.state.spec?.ended?.outcome, 'passed');
    assert.equal(kindOf(build.state), 'none');
  });

  it('ends with its budget of money, and of time without what a person took', () => {
    const money = new Build({ maxCostUsd: 0.2 });
    money.turnDone();
    money.round('passed', 'failed');
    assert.equal(kindOf(money.state), 'none');
    money.turnDone();
    money.round('failed', 'passed');
    assert.match(money.state.spec?.ended?.reason ?? '', /cost \$0\.24 of its \$0\.20/);
    const time = new Build({ maxMinutes: 5 });
    time.turnDone();
    time.round('passed', 'failed', 6 * 60_000);
    assert.equal(time.state.spec?.ended?.outcome, 'budget');
  });

  it('is stuck when no check came out otherwise so many turns in a row', () => {
    const build = new Build({ stuckAfter: 2 });
    for (const [one, two] of [
      ['passed', 'failed'],
      ['passed', 'failed'],
      ['failed', 'failed'],
      ['failed', 'failed'],
    ] as const) {
      build.turnDone();
      build.round(one, two);
      assert.equal(build.state.spec?.ended, undefined);
    }
    build.turnDone();
    build.round('failed', 'failed');
    assert.equal(build.state.spec?.ended?.outcome, 'stuck');
  });

  it('ends with a turn that was stopped, and with one that trying again cannot help', () => {
    const stopped = new Build();
    stopped.turnDone('stopped');
    stopped.decide();
    assert.equal(stopped.state.spec?.ended?.outcome, 'stopped');
    const failed = new Build();
    failed.turnDone('failed', FAILURE);
    failed.decide();
    assert.equal(failed.state.spec?.ended?.outcome, 'failed');
    const again = new Build();
    again.turnDone('failed', { ...FAILURE, retryable: true });
    assert.equal(kindOf(again.state), 'beginRound', 'what can be tried again is');
  });

  it('ends when its message is taken back, the session archived or an earlier turn restored', () => {
    const back = new Build();
    back.add({ type: 'messageWithdrawn', messageId: back.messageId, by: 'owner' });
    back.decide();
    assert.equal(back.state.spec?.ended?.outcome, 'stopped');
    const archived = new Build();
    archived.add({ type: 'sessionArchived', archived: true });
    assert.equal(archived.state.spec?.ended?.outcome, 'stopped');
    const restored = new Build();
    restored.turnDone();
    restored.add({ type: 'restoreStarted', turn: 0, code: true, conversation: true, by: 'owner' });
    assert.equal(restored.state.spec?.ended?.outcome, 'stopped');
  });
});
