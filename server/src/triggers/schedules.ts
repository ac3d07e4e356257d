import type { z } from 'zod';
import { SandpiperError, toError } from '../../../protocol/errors.ts';
import { scheduleSchema, type Schedule } from '../../../protocol/scheduleCalls.ts';
import type { Logger } from '../core/log.ts';
import { Pump } from '../hooks/pump.ts';
import type { TriggerStore } from '../store/triggerStore.ts';
import { parseCron } from './cron.ts';
import type { Definitions } from './definitions.ts';
import { newestDue, nextDue } from './dueTimes.ts';
import type { Firings } from './firings.ts';
import { writeStart } from './start.ts';
import { TimeZone } from './timeZone.ts';

/** A schedule as it is kept. `madeBy` is the key of the call that added it. */
export const scheduleDefinitionSchema = scheduleSchema
  .omit({ nextAt: true, lastAt: true })
  .extend({ madeBy: scheduleSchema.shape.prompt });
export type ScheduleDefinition = z.infer<typeof scheduleDefinitionSchema>;

export interface SchedulesOptions {
  definitions: Definitions<ScheduleDefinition>;
  store: TriggerStore;
  firings: Pick<Firings, 'add'>;
  log: Logger;
}

/**
 * Looks which schedules are due. A due time is a key: it comes to one session however often the relay is killed, and
 * whichever way clocks are moved. Of those that passed while nobody looked only the newest counts.
 */
export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #pump: Pump;

  constructor(options: SchedulesOptions) {
    this.#options = options;
    this.#pump = new Pump(() => this.#round(), options.log);
  }

  /** Whether there are any: a relay that ended by itself would miss them. */
  get any(): boolean {
    return this.#options.definitions.list().length > 0;
  }

  /** Looks again, after a start too. */
  nudge(): void {
    this.#pump.nudge();
  }

  /**
   * Begins one now.
   * @param id the same one begins one session
   * @throws `not_found`; `unavailable` when too many began within an hour
   */
  async fireNow(name: string, id: string): Promise<string> {
    const schedule = this.#options.definitions.find(name);
    if (!schedule) {
      throw new SandpiperError('not_found', `There is no schedule "${name}".`, {
        hint: 'See `sandpiper schedules list`.',
      });
    }
    const now = Date.now();
    const key = `by-hand ${name} ${id}`;
    // A trigger of its own: the last due time is not to be mistaken for it.
    const added = await this.#add(schedule, { key, trigger: `by-hand ${name}`, at: now });
    if (added === 'refused') {
      throw new SandpiperError('unavailable', `More than ${schedule.maxPerHour} began by hand within an hour.`, {
        hint: 'Wait, or add the schedule anew with more in `--per-hour`.',
      });
    }
    return key;
  }

  async describe({ madeBy: _madeBy, ...schedule }: ScheduleDefinition): Promise<Schedule> {
    const now = Date.now();
    const nextAt = nextDue(parseCron(schedule.cron), new TimeZone(schedule.timeZone), now);
    const lastAt = await this.#options.store.lastFiring(triggerOfSchedule(schedule.name), now);
    return {
      ...schedule,
      ...(nextAt === undefined ? {} : { nextAt }),
      ...(lastAt === undefined ? {} : { lastAt }),
    };
  }

  async close(): Promise<void> {
    await this.#pump.close();
  }

  async #round(): Promise<number | undefined> {
    const now = Date.now();
    const next: number[] = [];
    for (const schedule of this.#options.definitions.list()) {
      try {
        next.push((await this.#look(schedule, now)) ?? Infinity);
      } catch (error) {
        // Such as a time zone that this machine does not know any more.
        this.#options.log.log('error', 'triggers', `A schedule cannot be followed: ${toError(error).message}`, {
          schedule: schedule.name,
        });
      }
    }
    return next.length === 0 ? undefined : Math.min(...next);
  }

  /** @returns when it is due next */
  async #look(schedule: ScheduleDefinition, now: number): Promise<number | undefined> {
    const { name, at: addedAt } = schedule;
    const cron = parseCron(schedule.cron);
    const zone = new TimeZone(schedule.timeZone);
    const trigger = triggerOfSchedule(name);
    const last = await this.#options.store.lastFiring(trigger, now);
    const due = newestDue(cron, zone, { after: Math.max(addedAt, last ?? 0), upTo: now });
    if (due) {
      const { at, earlier } = due;
      const key = `${trigger} ${new Date(at).toISOString()}`;
      await this.#add(schedule, { key, trigger, at, ...(earlier === 0 ? {} : { reason: missedText(earlier) }) });
    }
    return nextDue(cron, zone, now);
  }

  #add(schedule: ScheduleDefinition, firing: { key: string; trigger: string; at: number; reason?: string }) {
    const { name, title = name, prompt, maxPerHour } = schedule;
    return this.#options.firings.add(
      { ...firing, dueAt: Date.now(), data: writeStart(schedule, { prompt, title }) },
      maxPerHour,
    );
  }
}

export function triggerOfSchedule(name: string): string {
  return `schedule ${name}`;
}

function missedText(earlier: number): string {
  const times = earlier === 1 ? 'An earlier due time was' : `${earlier} earlier due times were`;
  return `${times} missed while the relay was away; only this one counts.`;
}
