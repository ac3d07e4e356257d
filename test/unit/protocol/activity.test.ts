import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { SessionState } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { SessionLog } from '../../support/sessionLog.ts';

describe('the activity of a session in a snapshot of a newer relay', () => {
  const shown = (phase: unknown): string =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a newer relay may send
    summarize({ ...new SessionLog().state, phase: phase as SessionState['phase'] }).activity;

  it('asks for an update where the phase has no name here', () => {
    assert.equal(shown({ kind: 'dancing', since: 1 }), 'Update Sandpiper to see what it does');
  });

  it('is still preparing in a step that has none', () => {
    assert.equal(shown({ kind: 'preparing', step: 'choreography', since: 1 }), 'Preparing');
  });
});
