import type { IncomingMessage } from 'node:http';
import type { Guard } from './guard.ts';

/** What `GET /livez` answers: to anybody that a relay is here, to who has its token also which one. */
export function aliveAnswer(guard: Guard, request: IncomingMessage, version: string): Record<string, unknown> {
  const alive = { status: 'alive', service: 'sandpiper' };
  if (request.headers.authorization === undefined) {
    return alive;
  }
  const decision = guard.check(request, true);
  return decision.kind !== 'refused' && decision.credential === 'relay'
    ? { ...alive, version, pid: process.pid }
    : alive;
}
