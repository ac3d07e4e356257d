import type { Runnable, Runner } from 'mocha';

/**
 * How many times longer than on a developer's machine a test waits before it says that something hangs. A machine of CI may
 * serve others at the same time. Only limits that end a wait are lengthened, never a time that something must take.
 */
export const PATIENCE = process.env['CI'] === 'true' ? 3 : 1;

/** @param limitMs how long to wait on a machine of one's own */
export function patient(limitMs: number): number {
  return limitMs * PATIENCE;
}

/** Lengthens the limit of every test and hook of a run. One that a test sets while it runs stays what it is. */
export function makePatient(runner: Runner): void {
  const lengthened = new WeakSet<Runnable>();
  const lengthen = (runnable: Runnable): void => {
    if (!lengthened.has(runnable)) {
      lengthened.add(runnable);
      runnable.timeout(patient(runnable.timeout()));
    }
  };
  runner.on('test', lengthen).on('hook', lengthen);
}
