import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/events.ts';

/* What a session says when the place where things are kept was in trouble. */

/** Before the end of an agent that nobody can hear any more. */
export function journalLost(error: unknown): EventBody[] {
  return [
    {
      type: 'noticeRaised',
      level: 'error',
      text: toSandpiperError(error).message,
      hint: 'What stands above is whole, and the work in the sandbox is kept. The agent is ended; Recover goes on with the same conversation.',
    },
  ];
}

/** From the first write that found no room until one that did. */
export class DiskTrouble {
  #since: number | undefined;

  /** When it began, in milliseconds since the epoch; undefined while there is none. */
  get since(): number | undefined {
    return this.#since;
  }

  /** @param now milliseconds since the epoch */
  noteFailure(error: unknown, now: number): void {
    if (error instanceof SandpiperError && error.code === 'disk_full') {
      this.#since ??= now;
    }
  }

  /** Once after a write that found room: what the session says of it. */
  takeNotice(now: number): EventBody | undefined {
    const since = this.#since;
    this.#since = undefined;
    return since === undefined
      ? undefined
      : {
          type: 'noticeRaised',
          level: 'warning',
          text: `The disk of the relay was full from ${clock(since)} to ${clock(Math.max(since, now))}. Nothing was lost: the agent went on, and what it did has been read since.`,
          hint: 'Keep some room free: new work is refused while there is none.',
        };
  }
}

function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
