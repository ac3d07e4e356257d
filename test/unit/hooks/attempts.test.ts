import assert from 'node:assert/strict';
import { SandpiperError } from '../../../protocol/errors.ts';
import { nextAttempt } from '../../../server/src/hooks/attempts.ts';

const at = { now: 1000, retryMs: 100 };
const lost = new SandpiperError('forge_unreachable', 'GitHub failed.');

describe('the next attempt', () => {
  it('comes later each time, not at the same moment as others, and never in more than a quarter of an hour', () => {
    const delay = (attempts: number, random: number) => {
      const next = nextAttempt(lost, attempts, { ...at, random });
      return next.kind === 'retry' ? next.dueAt - at.now : undefined;
    };
    assert.deepEqual([delay(0, 0), delay(0, 1), delay(3, 0.5)], [50, 150, 800]);
    assert.equal(delay(6, 0.5), 6400);
    assert.equal(nextAttempt(lost, 6, { now: 0, retryMs: 600_000, random: 1 }).kind, 'retry');
    const long = nextAttempt(lost, 6, { now: 0, retryMs: 600_000, random: 1 });
    assert.equal(long.kind === 'retry' && long.dueAt, 900_000);
  });

  it('waits as long as the forge asks', () => {
    const limited = new SandpiperError('forge_unreachable', 'Slow down.', { details: { retryAfterMs: 60_000 } });
    const next = nextAttempt(limited, 0, at);
    assert.equal(next.kind === 'retry' && next.dueAt, 61_000);
  });

  it('does not come after the last one, or where only a person can help', () => {
    assert.deepEqual(nextAttempt(lost, 7, at), { kind: 'giveUp', attempts: 8, reason: 'GitHub failed.' });
    const refused = new SandpiperError('forge_unauthorized', 'The token is wrong.');
    assert.deepEqual(nextAttempt(refused, 0, at), { kind: 'giveUp', attempts: 1, reason: 'The token is wrong.' });
    assert.equal(nextAttempt(new Error('unforeseen'), 0, at).kind, 'retry');
  });
});
