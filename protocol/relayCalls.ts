import * as z from 'zod';
import { isolationSchema } from './events.ts';

/** The calls about the relay itself; a part of `calls`. */
export const relayCalls = {
  'relay.info': {
    summary: 'Version, capabilities and health of this relay',
    mutates: false,
    params: z.object({}),
    result: z.object({
      version: z.string(),
      protocolVersion: z.int(),
      startedAt: z.number(),
      pid: z.int(),
      dataFolder: z.string(),
      providers: z.array(
        z.object({ id: z.string(), available: z.boolean(), isolation: isolationSchema, reason: z.string().optional() }),
      ),
      agents: z.array(
        z.object({
          id: z.string(),
          available: z.boolean(),
          version: z.string().optional(),
          reason: z.string().optional(),
        }),
      ),
      modelKey: z.object({ present: z.boolean(), source: z.string() }),
    }),
    rest: { method: 'get', path: '/v1/relay' },
  },
  'relay.checks': {
    summary: 'Run the checks of `sandpiper doctor`',
    mutates: false,
    params: z.object({}),
    result: z.object({
      checks: z.array(
        z.object({
          name: z.string(),
          status: z.enum(['ok', 'warning', 'failed']),
          detail: z.string(),
          hint: z.string().optional(),
        }),
      ),
    }),
    rest: { method: 'get', path: '/v1/relay/checks' },
  },
  'relay.setModelKey': {
    summary: 'Hand the model key to the relay; kept in memory only',
    mutates: false,
    params: z.object({ apiKey: z.string().min(1).max(1000) }),
    result: z.object({}),
  },
  'relay.handOver': {
    summary:
      'End this relay in favour of another one that is about to start; agents work on, and the next relay goes on with them. ' +
      'An older one is refused with `version_mismatch`',
    mutates: false,
    params: z.object({ version: z.string().max(100).describe('Of the relay that will start') }),
    result: z.object({}),
    rest: { method: 'post', path: '/v1/relay/hand-over' },
  },
} as const;
