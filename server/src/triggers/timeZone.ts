import { SandpiperError } from '../../../protocol/errors.ts';

/** How far clocks in a time zone are from UTC. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;

  /** @throws `invalid_params` when there is no such zone */
  constructor(name: string) {
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
      });
    } catch (error) {
      throw new SandpiperError('invalid_params', `There is no time zone "${name.slice(0, 100)}".`, {
        hint: 'Give one like Europe/Berlin or UTC.',
        cause: error,
      });
    }
  }

  /** What is added to a time to get what clocks show. @param at a whole minute */
  offsetAt(at: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(at)) {
      parts[type] = Number(value);
    }
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute) - at;
  }
}
