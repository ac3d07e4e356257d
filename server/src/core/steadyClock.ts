/**
 * Milliseconds that only ever go forward, at the pace of a clock that nobody can set: for ages and lengths of time. Close to
 * the wall clock's milliseconds since the epoch until that is moved. A machine that sleeps does not age.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
