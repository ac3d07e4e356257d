import assert from 'node:assert/strict';
import { moveChoices, mustStop } from '../../../extension/src/sessions/moveChoices.ts';
import { isStoppable } from '../../../extension/src/sessions/sessionGroups.ts';
import type { EventBody } from '../../../protocol/events.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { created, stateAfter } from '../sessions/sessionFixtures.ts';

const local = { id: 'local', available: true, isolation: 'none' } as const;
const docker = { id: 'docker', available: false, isolation: 'container', reason: 'No engine answers.' } as const;
const e2b = { id: 'e2b', available: true, isolation: 'vm' } as const;
const started: EventBody = { type: 'agentStarted', agent: 'claude', version: '2', segment: 1, resumed: false };

describe('the places that a session can be moved to', () => {
  it('are the other providers of the relay, those that are ready first, with what isolates there', () => {
    const choices = moveChoices([docker, local, e2b, { ...e2b, id: 'daytona' }], 'daytona');
    assert.deepEqual(
      choices.map(({ label, description, detail, ready, needsConsent }) => [
        label,
        description,
        detail,
        ready,
        needsConsent,
      ]),
      [
        ['This Machine', 'no isolation', undefined, true, true],
        ['E2B', 'virtual machine', undefined, true, false],
        ['Docker', 'not ready', 'No engine answers.', false, false],
      ],
    );
  });

  it('are asked for with a stop while the agent has anything to do', () => {
    assert.equal(mustStop(stateAfter([created, started])), false);
    const working: EventBody[] = [created, started, { type: 'turnStarted', turn: 1, messageIds: [] }];
    assert.equal(mustStop(stateAfter(working)), true);
  });

  it('can be given up while it is under way', () => {
    const begun: EventBody = { type: 'moveStarted', provider: 'e2b', isolation: 'vm', by: 'owner' };
    assert.equal(isStoppable(summarize(stateAfter([created, started]))), false);
    assert.equal(isStoppable(summarize(stateAfter([created, started, begun]))), true);
  });
});
