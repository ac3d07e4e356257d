import assert from 'node:assert/strict';
import { decideNews, decideTurn, stillHolds } from '../../../extension/src/sessions/attentionDecisions.ts';
import type { AttentionSituation } from '../../../extension/src/sessions/attentionDecisions.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { sampleSummary } from '../../support/sampleSummary.ts';

const situation: AttentionSituation = {
  visibleSessionId: undefined,
  openedIds: new Set(),
  folders: ['/code/shop'],
  focused: true,
  enabled: { approval: true, turnFinished: true, failed: true },
};
const idle = sampleSummary();
const working = sampleSummary({ phase: 'working' });
const asking = sampleSummary({ phase: 'working', needsYou: 1 });
const blocked = sampleSummary({ phase: 'blocked', needsYou: 1 });

const call = (before: SessionSummary | undefined, after: SessionSummary): string | undefined =>
  decideNews(before, after)?.call;

describe('what is worth a notification', () => {
  it('is a new approval, a finished turn and a failure', () => {
    assert.equal(call(working, asking), 'approval');
    assert.equal(call(asking, { ...asking, needsYou: 2 }), 'approval');
    assert.equal(call(sampleSummary({ phase: 'checkpointing' }), idle), 'turnFinished');
    assert.equal(call(working, blocked), 'failed');
    assert.equal(call(sampleSummary({ phase: 'preparing' }), blocked), 'failed');
  });

  it('is an agent that waits for Recover, and not one that the relay mends by itself', () => {
    const stuck = (needsYou: number) =>
      sampleSummary({ phase: 'working', needsYou, doing: { kind: 'stuck', label: 'Stuck', since: 0 } });
    const cut = sampleSummary({ needsYou: 1, doing: { kind: 'interrupted', label: 'Interrupted', since: 0 } });
    assert.equal(call(working, stuck(1)), 'failed');
    assert.equal(call(stuck(1), stuck(1)), undefined);
    assert.equal(call(working, stuck(0)), undefined);
    assert.equal(call(stuck(0), working), undefined);
    assert.equal(call(sampleSummary({ phase: 'checkpointing' }), cut), 'failed');
  });

  it('is the end of a build, and not each of its turns', () => {
    const spec = { specId: 'spc', revision: 1, title: 'S', round: 1, passed: 0, checks: 1, kind: 'build' } as const;
    const built = (changes: Partial<SessionSummary>, outcome?: 'stuck') =>
      sampleSummary({
        ...changes,
        spec: { ...spec, items: { passed: 0, of: 1 }, ...(outcome ? { outcome } : {}) },
      });
    assert.equal(call(built({ phase: 'checkpointing' }), built({})), undefined);
    assert.equal(call(built({}), built({}, 'stuck')), 'turnFinished');
    assert.equal(call(built({ phase: 'working' }), built({ phase: 'working', needsYou: 1 })), 'approval');
  });

  it('is nothing that was already so', () => {
    assert.equal(call(undefined, asking), undefined);
    assert.equal(call(asking, { ...asking, seq: 9 }), undefined);
    assert.equal(call(asking, working), undefined);
    assert.equal(call(blocked, { ...blocked, seq: 9 }), undefined);
    assert.equal(call(idle, { ...idle, title: 'Renamed' }), undefined);
    assert.equal(call(sampleSummary({ phase: 'preparing' }), idle), undefined);
  });

  it('is the next approval too, though their number is the same', () => {
    const ask = (id: string) => ({
      id,
      kind: 'tool' as const,
      name: 'Bash',
      title: 'ls',
      at: 1,
      canAlwaysAllow: false,
    });
    const first = sampleSummary({ phase: 'working', needsYou: 1, asking: [ask('a')] });
    assert.equal(call(first, { ...first, asking: [ask('b')] }), 'approval');
    assert.equal(call(first, { ...first, seq: 9 }), undefined);
  });

  it('has the same name in every window, and another one the next time', () => {
    const done = (since: number) => ({ ...idle, doing: { kind: 'idle' as const, label: 'Idle', since } });
    const event = (since: number, seq: number) => decideNews(working, { ...done(since), seq })?.event;
    assert.equal(event(5, 1), event(5, 2));
    assert.notEqual(event(5, 1), event(6, 1));
  });

  it('is nothing of an archived session', () => {
    assert.equal(decideNews(working, { ...asking, archived: true }), undefined);
  });
});

describe('which window tells it', () => {
  const afterMs = (other: Partial<AttentionSituation>, summary = asking): number | undefined => {
    const turn = decideTurn('approval', summary, { ...situation, ...other });
    return turn.kind === 'call' ? turn.afterMs : undefined;
  };

  it('is none of those in which the person sees the session, and no other one when they do', () => {
    const seeing = { ...situation, visibleSessionId: asking.id };
    assert.deepEqual(decideTurn('approval', asking, seeing), { kind: 'seen' });
    assert.deepEqual(decideTurn('approval', asking, { ...seeing, focused: false }), { kind: 'none' });
  });

  it('is first the one that has the repository or opened the session, and in which the person works', () => {
    const elsewhere = { folders: ['/code/shop-old', 'C:\\code'] };
    const far = afterMs(elsewhere) ?? 0;
    assert.ok((afterMs({}) ?? 0) < (afterMs({ focused: false }) ?? 0));
    assert.ok((afterMs({ focused: false }) ?? 0) < far);
    assert.equal(afterMs({ ...elsewhere, openedIds: new Set([asking.id]) }), afterMs({}));
    assert.equal(afterMs({ folders: ['/code/shop/packages/web/'] }), afterMs({}));
    const windows = { ...asking, repository: { ...asking.repository, source: 'C:\\code\\shop' } };
    assert.equal(afterMs(elsewhere, windows), afterMs({}));
  });

  it('is none where it is turned off, one by one', () => {
    const quiet = { ...situation, enabled: { ...situation.enabled, approval: false } };
    assert.deepEqual(decideTurn('approval', asking, quiet), { kind: 'none' });
    assert.equal(decideTurn('failed', blocked, quiet).kind, 'call');
  });

  it('is none when somebody was faster', () => {
    assert.equal(stillHolds('approval', asking), true);
    assert.equal(stillHolds('approval', working), false);
    assert.equal(stillHolds('failed', blocked), true);
    assert.equal(stillHolds('failed', working), false);
    assert.equal(stillHolds('turnFinished', idle), true);
    assert.equal(stillHolds('turnFinished', working), false);
    assert.equal(stillHolds('turnFinished', { ...idle, archived: true }), false);
    assert.equal(stillHolds('turnFinished', undefined), false);
  });
});
