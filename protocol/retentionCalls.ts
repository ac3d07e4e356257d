import * as z from 'zod';
import { empty, ofSession, sessionSummarySchema, withKey } from './callParts.ts';

/** The calls that take things away and bring them back; part of the table in calls.ts. */
export const retentionCalls = {
  'relay.collect': {
    summary: 'Remove what nobody needs any more, as `sandpiper gc` does, or say what would be removed',
    mutates: false,
    params: z.object({ dryRun: z.boolean().default(false) }),
    result: z.object({
      removed: z.array(z.object({ kind: z.string(), name: z.string(), bytes: z.int().nonnegative(), why: z.string() })),
      freedBytes: z.int().nonnegative(),
      problems: z.array(z.string()).describe('What could not be looked at or removed, and why'),
    }),
    rest: { method: 'post', path: '/v1/relay/gc' },
  },
  'session.delete': {
    summary:
      'Delete a session: what it holds is archived first and can be restored until the time that this answers; when it cannot be archived nothing is deleted',
    mutates: true,
    params: z.object({
      ...withKey,
      ...ofSession,
      force: z.boolean().default(false).describe('Also when what is in the sandbox cannot be saved'),
    }),
    result: z.object({
      deletedAt: z.number(),
      restorableUntil: z.number(),
      missing: z.array(z.string()).describe('What could not be saved'),
    }),
    rest: { method: 'delete', path: '/v1/sessions/{sessionId}' },
  },
  'session.restore': {
    summary: 'Bring a deleted session back; its sandbox is made again when the next message comes',
    mutates: true,
    params: z.object({ ...withKey, ...ofSession }),
    result: z.object({ seq: z.int() }),
    rest: { method: 'post', path: '/v1/sessions/{sessionId}/restore' },
  },
  'session.listDeleted': {
    summary: 'Deleted sessions that can be restored, the latest first',
    mutates: false,
    params: empty,
    result: z.object({
      sessions: z.array(
        z.object({
          summary: sessionSummarySchema,
          deletedAt: z.number(),
          restorableUntil: z.number(),
          bytes: z.int().nonnegative().describe('Of the archive'),
          missing: z.array(z.string()).describe('What could not be saved'),
        }),
      ),
      damaged: z.array(z.string()).describe('Archives that cannot be read'),
    }),
    rest: { method: 'get', path: '/v1/deleted-sessions' },
  },
} as const;
