import assert from 'node:assert/strict';
import { decideCall } from '../../../extension/src/sessions/attentionDecisions.ts';
import type { AttentionSituation } from '../../../extension/src/sessions/attentionDecisions.ts';
import { summaryWith } from './summaries.ts';

const situation: AttentionSituation = {
  visibleSessionId: undefined,
  openedIds: new Set(),
  folders: ['/code/shop'],
  enabled: { approval: true, turnFinished: true, failed: true },
};
const idle = summaryWith();
const working = summaryWith({ phase: 'working' });
const asking = summaryWith({ phase: 'working', needsYou: 1 });
const blocked = summaryWith({ phase: 'blocked', needsYou: 1 });

describe('what is worth a notification', () => {
  it('is a new approval, a finished turn and a failure', () => {
    assert.equal(decideCall(working, asking, situation), 'approval');
    assert.equal(decideCall(asking, { ...asking, needsYou: 2 }, situation), 'approval');
    assert.equal(decideCall(summaryWith({ phase: 'checkpointing' }), idle, situation), 'turnFinished');
    assert.equal(decideCall(working, blocked, situation), 'failed');
    assert.equal(decideCall(summaryWith({ phase: 'preparing' }), blocked, situation), 'failed');
  });

  it('is nothing that was already so', () => {
    assert.equal(decideCall(undefined, asking, situation), undefined);
    assert.equal(decideCall(asking, { ...asking, seq: 9 }, situation), undefined);
    assert.equal(decideCall(asking, working, situation), undefined);
    assert.equal(decideCall(blocked, { ...blocked, seq: 9 }, situation), undefined);
    assert.equal(decideCall(idle, { ...idle, title: 'Renamed' }, situation), undefined);
    assert.equal(decideCall(summaryWith({ phase: 'preparing' }), idle, situation), undefined);
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
