import { patient } from './patience.ts';

/**
 * Waits until `check` no longer throws; then its last failure is the test's.
 * @param timeoutMs on a machine of one's own
 */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs: number = 10_000): Promise<T> {
  const deadline = Date.now() + patient(timeoutMs);
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) {
        throw error;
      }
    }
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
