import { createHash } from 'node:crypto';
import type { CallHandlers } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { scheduleCalls } from '../../../protocol/scheduleCalls.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Idempotency } from '../sessions/idempotency.ts';
import type { Store } from '../store/store.ts';
import { parseCron } from './cron.ts';
import type { Definitions } from './definitions.ts';
import { nextDue } from './dueTimes.ts';
import type { ScheduleDefinition, Schedules } from './schedules.ts';
import { TimeZone } from './timeZone.ts';

export type ScheduleHandlers = Pick<CallHandlers<CallContext>, keyof typeof scheduleCalls>;

export interface ScheduleHandlerOptions {
  store: Store;
  idempotency: Idempotency;
  definitions: Definitions<ScheduleDefinition>;
  schedules: Pick<Schedules, 'nudge' | 'fireNow' | 'describe'>;
}

/** The calls about schedules. */
export function scheduleHandlers({
  store,
  idempotency,
  definitions,
  schedules,
}: ScheduleHandlerOptions): ScheduleHandlers {
  return {
    'schedules.add': params =>
      idempotency.once('schedules.add', params, async record => {
        const { key, timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone, ...said } = params;
        const known = definitions.find(said.name);
        if (known && known.madeBy !== key) {
          throw new SandpiperError('conflict', `There is a schedule "${said.name}".`, {
            hint: 'Choose another name, or remove it first with `sandpiper schedules remove`.',
          });
        }
        const now = Date.now();
        if (nextDue(parseCron(said.cron), new TimeZone(timeZone), now) === undefined) {
          throw new SandpiperError('invalid_params', `"${said.cron}" is never due.`, {
            hint: 'Look at its day and its month.',
          });
        }
        const definition = known ?? { ...said, timeZone, at: now, madeBy: key };
        await definitions.put(definition);
        const schedule = await schedules.describe(definition);
        await store.recordCall(record({ schedule }));
        schedules.nudge();
        return { schedule };
      }),
    'schedules.list': async () => ({
      schedules: await Promise.all(definitions.list().map(definition => schedules.describe(definition))),
    }),
    'schedules.remove': params =>
      idempotency.once('schedules.remove', params, async record => {
        const removed = definitions.find(params.name) !== undefined;
        await definitions.remove(params.name);
        await store.recordCall(record({ removed }));
        return { removed };
      }),
    'schedules.run': params =>
      idempotency.once('schedules.run', params, async record => {
        const id = createHash('sha256').update(params.key).digest('hex').slice(0, 16);
        const firing = await schedules.fireNow(params.name, id);
        await store.recordCall(record({ firing }));
        return { firing };
      }),
  };
}
