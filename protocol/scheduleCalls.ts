import * as z from 'zod';
import { withKey } from './callParts.ts';
import { startDefaults, startFields, triggerNameSchema } from './triggerCalls.ts';

const fields = {
  name: triggerNameSchema,
  cron: z.string().min(9).max(200).describe('Minute, hour, day of the month, month, day of the week: `0 3 * * 1-5`'),
  prompt: z.string().min(1).max(100_000).describe('What the agent is told'),
};
const timeZone = z.string().min(1).max(100).describe('By whose clocks, such as `Europe/Berlin`');

export const scheduleSchema = z
  .object({
    ...fields,
    ...startFields,
    timeZone,
    at: z.number().describe('When it was added; nothing before that is due'),
    nextAt: z.number().optional().describe('When it is due next'),
    lastAt: z.number().optional().describe('When it was due last'),
  })
  .meta({ id: 'Schedule', description: 'A session at each of its due times' });
export type Schedule = z.infer<typeof scheduleSchema>;

/** The calls about schedules, a part of `calls`. */
export const scheduleCalls = {
  'schedules.add': {
    summary: 'Begin a session at each due time, by a cron expression and a time zone',
    mutates: true,
    params: z.object({
      ...withKey,
      ...fields,
      ...startDefaults,
      timeZone: timeZone.optional().describe('Default: that of the relay'),
      maxPerHour: startFields.maxPerHour.default(4),
    }),
    result: z.object({ schedule: scheduleSchema }),
    rest: { method: 'post', path: '/v1/schedules' },
  },
  'schedules.list': {
    summary: 'The schedules, with when they were due last and are due next',
    mutates: false,
    params: z.object({}),
    result: z.object({ schedules: z.array(scheduleSchema) }),
    rest: { method: 'get', path: '/v1/schedules' },
  },
  'schedules.remove': {
    summary: 'Have a schedule begin nothing any more; sessions that it began stay',
    mutates: true,
    params: z.object({ ...withKey, name: triggerNameSchema }),
    result: z.object({ removed: z.boolean() }),
    rest: { method: 'post', path: '/v1/schedules/{name}/remove' },
  },
  'schedules.run': {
    summary: 'Begin the session of a schedule now, beside its due times',
    mutates: true,
    params: z.object({ ...withKey, name: triggerNameSchema }),
    result: z.object({ firing: z.string().describe('The key by which `triggers.list` has it') }),
    rest: { method: 'post', path: '/v1/schedules/{name}/run' },
  },
} as const;
