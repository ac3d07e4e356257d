import { setTimeout as sleep } from 'node:timers/promises';
import { SandpiperError } from '../../../protocol/errors.ts';

const POLL_MS = 50;

/** Resolves when a session has no agent and no step to take. @throws `timeout` */
export async function untilQuiet(isQuiet: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!isQuiet()) {
    if (Date.now() > deadline) {
      throw new SandpiperError('timeout', `The agent of this session did not end within ${timeoutMs / 1000} s.`, {
        hint: 'Stop it, then try again.',
      });
    }
    await sleep(POLL_MS);
  }
}
