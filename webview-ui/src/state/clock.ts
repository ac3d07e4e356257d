import { signal } from '@preact/signals';

/** The time of day in milliseconds, a second exact: what counts up on the page reads this one clock. */
export const clock = signal(Date.now());

/** Starts the clock; it stands still while the page is not visible. */
export function startClock(): void {
  const tick = (): void => {
    if (!document.hidden) {
      clock.value = Date.now();
    }
  };
  setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
}
