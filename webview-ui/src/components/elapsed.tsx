import type { JSX } from 'preact';
import { elapsed } from '../../../protocol/elapsed.ts';
import { clock } from '../state/clock.ts';
import { duration } from '../text/format.ts';

/** Time since a moment, ticking; or how long something took once it is over. Not read aloud: it changes each second. */
export function Elapsed({ since, until }: { since: number; until?: number | undefined }): JSX.Element {
  return (
    <span class="elapsed" aria-hidden="true">
      {until === undefined ? elapsed(clock.value - since) : duration(until - since)}
    </span>
  );
}
