import type { EventBody } from '../../../protocol/events.ts';
import { reduceSession } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import type { Runtime } from '../../../server/src/sessions/runtime.ts';

export const SESSION = 'ses_01234567890123456789012345';
export const MESSAGE = 'msg_01234567890123456789012345';
export const BASE = 'a'.repeat(40);

export const created: EventBody = {
  type: 'sessionCreated',
  title: 'Fix it',
  repository: { id: 'r1', name: 'sample', source: '/sample' },
  base: BASE,
  includesUncommitted: false,
  provider: 'local',
  isolation: 'process',
  agent: 'claude',
  permissionMode: 'ask',
};

export const agentFinished: EventBody = {
  type: 'agentFinished',
  turn: 1,
  outcome: 'completed',
  usage: NO_USAGE,
  durationMs: 5,
};

export const RUNTIME: Runtime = {
  source: '/sample',
  conversationId: '00000000-0000-4000-8000-000000000000',
  acceptNoIsolation: false,
  cloned: false,
  inputs: 0,
  answerContexts: {},
  turnUsage: NO_USAGE,
};

export function stateAfter(bodies: readonly EventBody[]): SessionState {
  let state: SessionState | undefined;
  for (const [index, body] of bodies.entries()) {
    state = reduceSession(state, { seq: index + 1, at: 1000 + index, body }, SESSION);
  }
  if (!state) {
    throw new Error('There are no events.');
  }
  return state;
}
