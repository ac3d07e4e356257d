import assert from 'node:assert/strict';
import { statusText } from '../../../extension/src/sessions/statusText.ts';
import { sampleSummary } from '../../support/sampleSummary.ts';

const running = sampleSummary({ phase: 'working' });
const asking = sampleSummary({ phase: 'working', needsYou: 1 });
const ready = sampleSummary({ pending: true });

describe('the status bar item', () => {
  it('counts what runs and what needs the person, and says the same to a screen reader', () => {
    const status = statusText([running, running, asking, ready], 'connected', undefined, 0);
    assert.equal(status.text, '$(bell-dot) 2 running, 1 needs you');
    assert.equal(status.label, 'Sandpiper: 2 running, 1 needs you');
    assert.equal(status.emphasis, 'warning');
    assert.match(statusText([asking, asking], 'connected', undefined, 0).text, / 2 need you$/);
  });

  it('names what runs and what needs the person below that, and a click lists all', () => {
    const status = statusText([running, ready, { ...asking, id: 'ses_asking' }], 'connected', undefined, 0);
    assert.deepEqual(
      status.rows.map(({ sessionId }) => sessionId),
      [running.id, 'ses_asking'],
    );
    assert.equal(status.command, 'sandpiper.showSessions');
  });

  it('mentions what is to review only when nothing is more urgent', () => {
    assert.match(statusText([ready], 'connected', undefined, 0).text, / 1 to review$/);
    assert.doesNotMatch(statusText([ready, running], 'connected', undefined, 0).text, /review/);
  });

  it('is quiet when there is nothing', () => {
    const status = statusText([], undefined, undefined, 0);
    assert.match(status.text, / Sandpiper$/);
    assert.equal(status.emphasis, 'none');
  });

  it('shows why there is no connection instead of numbers that may be old', () => {
    const offline = statusText([running], 'offline', 'The connection was lost.', 0);
    assert.match(offline.text, /relay offline$/);
    assert.match(offline.tooltip, /The connection was lost\./);
    assert.equal(offline.command, 'sandpiper.reconnectRelay');
    assert.match(offline.tooltip, /trying now/);
    assert.equal(statusText([], 'refused', undefined, 0).emphasis, 'error');
  });

  it('counts down to the next attempt, and says nothing that changes each second to a screen reader', () => {
    const soon = statusText([], 'offline', 'Gone.', 0, 3_400);
    assert.match(soon.text, /relay offline, 4 s$/);
    assert.match(soon.tooltip, /Reconnecting, next try in 4 s\.\nClick to retry now\./);
    assert.equal(soon.label, statusText([], 'offline', 'Gone.', 0, 900).label);
  });
});
