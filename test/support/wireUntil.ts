import { setTimeout as sleep } from 'node:timers/promises';
import { patient } from './patience.ts';

/** Waits for a condition. @throws when it did not come within `timeoutMs` */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadlineMs = Date.now() + patient(timeoutMs);
  while (!(await condition())) {
    if (Date.now() > deadlineMs) {
      throw new Error(`Still not so after ${patient(timeoutMs) / 1000} s: ${condition.toString()}`);
    }
    await sleep(5);
  }
}
