import type { SessionEvent } from '../protocol/events.ts';
import type { Problem, SessionEvidence } from './oracle.ts';
import { effectIn } from './work.ts';

/**
 * What happened in the sessions that something is wrong with, a line each: a run that goes wrong once in a hundred must
 * say enough of itself where its folder is not kept.
 */
export function coursesOf(evidence: readonly SessionEvidence[], problems: readonly Problem[]): string[] {
  const concerned = new Set(problems.map(({ sessionId }) => sessionId));
  return evidence
    .filter(({ sessionId }) => concerned.has(sessionId))
    .map(({ sessionId, own }) => `${sessionId}: ${own.map(stepOf).join(' ')}`);
}

/** Such as `12 toolStarted(2.7)`: the step of a message. */
function stepOf({ seq, body }: SessionEvent): string {
  const effect = body.type === 'toolStarted' ? effectIn(body.input.text) : undefined;
  const detail = effect ? `${effect.message}.${effect.step}` : 'turn' in body ? body.turn : undefined;
  return `${seq} ${body.type}${detail === undefined ? '' : `(${detail})`}`;
}
