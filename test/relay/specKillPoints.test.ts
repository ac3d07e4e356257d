import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionEvent } from '../../protocol/events.ts';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { agentsOf } from '../support/sandboxProcesses.ts';
import { command, ended, outcomes, specText, turn } from '../support/specs.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

/** Two turns: after the first one check fails; a person is asked at the end. */
const QUESTION = 'Is it good?';
const TEXT = specText(
  'Killed',
  {
    'Has its file': [command('sleep 0.5; grep right work.txt'), { kind: 'file', path: 'work.txt' }],
    'Counts well': [command('sleep 0.5; wc -l work.txt'), { kind: 'question', question: QUESTION }],
  },
  [...turn('echo wrong > work.txt'), ...turn('echo right > work.txt')],
);

const patience = { timeoutMs: 60_000 };

describe('the building of a spec that is killed', function () {
  this.timeout(240_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  async function begin(): Promise<string> {
    const { specId } = await shop.client.call('spec.create', { text: TEXT }, patience);
    return shop.begin('', { spec: { specId } });
  }

  async function killRelay(): Promise<void> {
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
  }

  const checks = (state: SessionState) => Object.keys(state.spec?.round?.results ?? {}).length;
  const inRound = (round: number, done: number) => (state: SessionState) =>
    (state.spec?.round?.number ?? 0) > round || (state.spec?.round?.number === round && checks(state) >= done);

  async function answer(id: string): Promise<void> {
    const state = await shop.until(id, 'the question', ({ approvals }) => approvals.length > 0, 60_000);
    const decision = { kind: 'answers', answers: { [QUESTION]: 'Yes' } } as const;
    await shop.client.call(
      'session.answer',
      { sessionId: id, approvalId: state.approvals[0]?.id ?? '', decision },
      patience,
    );
  }

  /** Every check of every round is told once, and each round but the last asked for one turn. */
  function checkLog(events: readonly SessionEvent[], rounds: number): void {
    const told = events.flatMap(({ body }) => (body.type === 'specChecked' ? [`${body.round}:${body.check}`] : []));
    assert.equal(new Set(told).size, told.length, `no check twice: ${told.join(' ')}`);
    const asked = events.flatMap(({ body }) => (body.type === 'specTurnAsked' ? [body.round] : []));
    assert.deepEqual(
      asked,
      Array.from({ length: rounds - 1 }, (_, index) => index + 1),
    );
    const count = (type: string) => events.filter(({ body }) => body.type === type).length;
    assert.equal(count('specRoundStarted'), rounds);
    assert.equal(count('specWorkEnded'), 1);
    assert.equal(count('messageQueued'), rounds, 'no second message');
    const last = told.filter(name => name.startsWith(`${rounds}:`));
    assert.deepEqual(
      last,
      ['1.1', '1.2', '2.1'].map(check => `${rounds}:${check}`),
      'no check lost',
    );
  }

  it('does not keep a relay from ending, and is taken up again by the next', async () => {
    const { specId } = await shop.client.call('spec.create', {
      text: specText('Long', { One: [command('[ -e seen ] || { touch seen; sleep 300; }')] }, turn('true')),
    });
    const id = await shop.begin('', { spec: { specId } });
    await shop.until(id, 'the check', ({ spec }) => spec?.round !== undefined, 50_000);
    const seen = join(await shop.workspace(id), 'seen');
    await eventually(() => assert.ok(existsSync(seen)), 20_000);
    const before = Date.now();
    await shop.relay.stop();
    assert.ok(Date.now() - before < 15_000, 'it did not wait for the check');
    await shop.relay.start();
    const state = await shop.until(id, 'the end', ended, 60_000);
    assert.deepEqual(outcomes(state), ['1.1 passed']);
  });

  it('loses and repeats nothing when the relay is killed at every step', async () => {
    const id = await begin();
    const steps: [string, (state: SessionState) => boolean][] = [
      ['it was asked for', () => true],
      ['the turn runs', ({ turns }) => turns.length > 0],
      ['the turn ended', ({ turns }) => turns[0]?.agent !== undefined],
      ['the first check runs', inRound(1, 0)],
      ['the second check runs', inRound(1, 1)],
      ['the fourth check runs', inRound(1, 2)],
      ['the next turn is asked for', ({ spec }) => spec?.round?.asked === true || (spec?.round?.number ?? 0) > 1],
      ['the next turn runs', ({ turns }) => turns.length > 1],
      ['the next turn ended', ({ turns }) => turns[1]?.agent !== undefined],
      ['its first check runs', inRound(2, 0)],
      ['its last check runs', inRound(2, 2)],
      ['a person is asked', ({ approvals }) => approvals.length > 0],
    ];
    for (const [what, fits] of steps) {
      await shop.until(id, what, fits, 60_000);
      await killRelay();
    }
    await answer(id);
    await killRelay();
    const state = await shop.until(id, 'the end', ended, 60_000);
    assert.equal(state.spec?.ended?.outcome, 'passed', JSON.stringify(state.spec));
    assert.equal(state.turns.length, 2, 'no second turn');
    checkLog(await shop.events(id), 2);
  });

  it('goes on when the agent is killed in its turn and between turns', async () => {
    const id = await begin();
    await shop.until(id, 'the checks', inRound(1, 0), 60_000);
    const [agent] = await agentsOf(shop, id);
    assert.ok(agent !== undefined);
    process.kill(agent, 'SIGKILL');
    await answer(id);
    const state = await shop.until(id, 'the end', ended, 60_000);
    assert.equal(state.spec?.ended?.outcome, 'passed');
    checkLog(await shop.events(id), state.turns.length);
  });

  it('goes on in a new sandbox when its own is destroyed between two checks', async () => {
    const id = await begin();
    await shop.until(id, 'a check', inRound(1, 1), 60_000);
    const folder = dirname(await shop.workspace(id));
    const away = join(shop.folder, `away-${basename(folder)}`);
    await rename(folder, away);
    await rm(away, { recursive: true, force: true, maxRetries: 5 });
    await answer(id);
    const state = await shop.until(id, 'the end', ended, 60_000);
    assert.equal(state.spec?.ended?.outcome, 'passed');
    assert.equal(state.spec.round?.number, 2);
    checkLog(await shop.events(id), 2);
  });
});
