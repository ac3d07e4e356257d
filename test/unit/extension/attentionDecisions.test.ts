import assert from 'node:assert/strict';
import { decideCall } from '../../../extension/src/sessions/attentionDecisions.ts';
import type { AttentionSituation } from '../../../extension/src/sessions/attentionDecisions.ts';
import { sampleSummary } from '../../support/sampleSummary.ts';

const situation: AttentionSituation = {
  visibleSessionId: undefined,
  openedIds: new Set(),
  folders: ['/code/shop'],
  enabled: { approval: true, turnFinished: true, failed: true },
};
const idle = sampleSummary();
const working = sampleSummary({ phase: 'working' });
const asking = sampleSummary({ phase: 'working', needsYou: 1 });
const blocked = sampleSummary({ phase: 'blocked', needsYou: 1 });

describe('what is worth a notification', () => {
  it('is a new approval, a finished turn and a failure', () => {
    assert.equal(decideCall(working, asking, situation), 'approval');
    assert.equal(decideCall(asking, { ...asking, needsYou: 2 }, situation), 'approval');
    assert.equal(decideCall(sampleSummary({ phase: 'checkpointing' }), idle, situation), 'turnFinished');
    assert.equal(decideCall(working, blocked, situation), 'failed');
    assert.equal(decideCall(sampleSummary({ phase: 'preparing' }), blocked, situation), 'failed');
  });

  it('is an agent that waits for Recover, and not one that the relay mends by itself', () => {
    const stuck = (needsYou: number) =>
      sampleSummary({ phase: 'working', needsYou, doing: { kind: 'stuck', label: 'Stuck', since: 0 } });
    const cut = sampleSummary({ needsYou: 1, doing: { kind: 'interrupted', label: 'Interrupted', since: 0 } });
    assert.equal(decideCall(working, stuck(1), situation), 'failed');
    assert.equal(decideCall(stuck(1), stuck(1), situation), undefined);
    assert.equal(decideCall(working, stuck(0), situation), undefined);
    assert.equal(decideCall(stuck(0), working, situation), undefined);
    assert.equal(decideCall(sampleSummary({ phase: 'checkpointing' }), cut, situation), 'failed');
  });

  it('is nothing that was already so', () => {
    assert.equal(decideCall(undefined, asking, situation), undefined);
    assert.equal(decideCall(asking, { ...asking, seq: 9 }, situation), undefined);
    assert.equal(decideCall(asking, working, situation), undefined);
    assert.equal(decideCall(blocked, { ...blocked, seq: 9 }, situation), undefined);
    assert.equal(decideCall(idle, { ...idle, title: 'Renamed' }, situation), undefined);
    assert.equal(decideCall(sampleSummary({ phase: 'preparing' }), idle, situation), undefined);
  });

  it('is never about the session that is being looked at, nor an archived one', () => {
    assert.equal(decideCall(working, asking, { ...situation, visibleSessionId: asking.id }), undefined);
    assert.equal(decideCall(working, { ...asking, archived: true }, situation), undefined);
  });

  it('is for the window that has the repository or opened the session', () => {
    const elsewhere = { ...situation, folders: ['/code/shop-old', 'C:\\code'] };
    assert.equal(decideCall(working, asking, elsewhere), undefined);
    assert.equal(decideCall(working, asking, { ...elsewhere, openedIds: new Set([asking.id]) }), 'approval');
    assert.equal(decideCall(working, asking, { ...situation, folders: ['/code/shop/packages/web/'] }), 'approval');
    const windows = { ...asking, repository: { ...asking.repository, source: 'C:\\code\\shop' } };
    assert.equal(decideCall(working, windows, elsewhere), 'approval');
  });

  it('can be turned off one by one', () => {
    const quiet = { ...situation, enabled: { ...situation.enabled, approval: false } };
    assert.equal(decideCall(working, asking, quiet), undefined);
    assert.equal(decideCall(working, blocked, quiet), 'failed');
  });
});
