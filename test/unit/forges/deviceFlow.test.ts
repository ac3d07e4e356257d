import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { decidePoll } from '../../../server/src/forges/github/deviceFlow.ts';
import type { Grant, OauthAnswer } from '../../../server/src/forges/github/oauth.ts';

const pace = { intervalMs: 5000, failures: 0 };
const time = { now: 1000, expiresAt: 900_000 };
const refused = (error: string, intervalMs?: number): OauthAnswer<Grant> => ({
  kind: 'refused',
  error,
  description: '',
  ...(intervalMs === undefined ? {} : { intervalMs }),
});
const noAnswer: OauthAnswer<Grant> = { kind: 'noAnswer', reason: 'the line is dead' };

describe('when GitHub is asked again whether a code was entered', () => {
  it('is after the interval that it named', () => {
    assert.deepEqual(decidePoll(refused('authorization_pending'), pace, time), { kind: 'wait', waitMs: 5000, pace });
  });

  it('is later from then on when it asks to slow down, and never sooner', () => {
    const slower = (waitMs: number) => ({ kind: 'wait', waitMs, pace: { intervalMs: waitMs, failures: 0 } });
    assert.deepEqual(decidePoll(refused('slow_down'), pace, time), slower(10_000));
    assert.deepEqual(decidePoll(refused('slow_down', 12_000), pace, time), slower(12_000));
    assert.deepEqual(decidePoll(refused('slow_down', 1), pace, time), slower(5000));
  });

  it('is twice as late with each time that no answer comes, up to a minute, and as before after one', () => {
    const waits: number[] = [];
    let now = pace;
    for (let failure = 0; failure < 5; failure++) {
      const decided = decidePoll(noAnswer, now, time);
      assert.ok(decided.kind === 'wait');
      waits.push(decided.waitMs);
      now = decided.pace;
    }
    assert.deepEqual(waits, [10_000, 20_000, 40_000, 60_000, 60_000]);
    assert.deepEqual(decidePoll(refused('authorization_pending'), now, time), { kind: 'wait', waitMs: 5000, pace });
  });

  it('is never when it was granted, refused, or is too late', () => {
    const grant = { token: 'ghu_x' };
    const late = { ...time, now: time.expiresAt };
    assert.deepEqual(decidePoll({ kind: 'given', given: grant }, pace, late), { kind: 'granted', grant });
    const end = (...args: Parameters<typeof decidePoll>) => {
      const decided = decidePoll(...args);
      assert.ok(decided.kind === 'failed');
      return decided.error.message;
    };
    assert.match(end(refused('access_denied'), pace, time), /was refused on GitHub/);
    assert.match(end(refused('expired_token'), pace, time), /not entered in time/);
    assert.match(end(refused('device_flow_disabled'), pace, time), /does not take part in the device flow/);
    assert.match(end(refused('something_new'), pace, time), /refused the sign-in: something_new/);
    assert.match(end(refused('authorization_pending'), pace, late), /not entered in time/);
    assert.match(end(noAnswer, pace, late), /not entered in time/);
  });
});
