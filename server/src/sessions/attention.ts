import { z } from 'zod';
import { awaySummary } from '../../../protocol/awaySummary.ts';
import type { CallHandlers, CallResult } from '../../../protocol/calls.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Dependencies } from './dependencies.ts';
import type { Sessions } from './sessions.ts';

const SETTING = 'attention.seenAt';
/** Who was never here is told of the last day. */
const FIRST_MS = 24 * 60 * 60_000;
/** The time is written down this often at most: windows say it every minute. */
const WRITE_MS = 30_000;
const MAX_CLAIMS = 5000;
/** A page of the list is in the order of activity, so that the search ends where the time does. */
const PAGE = 100;
/** Who was away for weeks gets the newest. */
const MAX_SESSIONS = 300;

/** The calls by which several windows call one person once. Nothing of it is part of a session. */
export function attentionHandlers(
  { store }: Dependencies,
  sessions: Sessions,
): Pick<CallHandlers<CallContext>, 'attention.claim' | 'attention.seen' | 'attention.away'> {
  const claims = new Map<string, string>();
  let seenAt: Promise<number | undefined> | undefined;
  let writtenAt = 0;
  const lastSeen = (): Promise<number | undefined> =>
    (seenAt ??= store.readSetting(SETTING).then(value => {
      const read = z.number().safeParse(value === undefined ? undefined : JSON.parse(value));
      return read.success ? read.data : undefined;
    }));
  return {
    'attention.claim': ({ event, claimant }) => {
      const known = claims.get(event);
      if (known === undefined) {
        claims.set(event, claimant);
        const [oldest] = claims.keys();
        if (claims.size > MAX_CLAIMS && oldest !== undefined) {
          claims.delete(oldest);
        }
      }
      return Promise.resolve({ granted: known === undefined || known === claimant });
    },
    'attention.seen': async () => {
      await lastSeen();
      const now = Date.now();
      seenAt = Promise.resolve(now);
      if (now - writtenAt >= WRITE_MS) {
        writtenAt = now;
        await store.writeSetting(SETTING, JSON.stringify(now));
      }
      return { seenAt: now };
    },
    'attention.away': async ({ since }) => {
      const until = Date.now();
      const from = since ?? (await lastSeen()) ?? until - FIRST_MS;
      return away({ store }, sessions, from, until);
    },
  };
}

async function away(
  { store }: Pick<Dependencies, 'store'>,
  sessions: Sessions,
  since: number,
  until: number,
): Promise<CallResult<'attention.away'>> {
  const states: SessionState[] = [];
  for (const archived of [false, true]) {
    let before: { updatedAt: number; sessionId: string } | undefined;
    for (let isMore = true; isMore && states.length < MAX_SESSIONS;) {
      const rows = await store.listSessions({ archived, limit: PAGE, ...(before ? { before } : {}) });
      // What waits may wait for long: it is told also when it began before.
      const recent = rows.filter(({ summary }) => summary.updatedAt > since || (!archived && summary.needsYou > 0));
      for (const { sessionId } of recent) {
        // Deleted in this very moment.
        const session = await sessions.get(sessionId).catch(() => undefined);
        states.push(...(session ? [session.log.state] : []));
      }
      const last = rows.at(-1);
      isMore = rows.length === PAGE && last !== undefined && last.summary.updatedAt > since;
      before = last && { updatedAt: last.summary.updatedAt, sessionId: last.sessionId };
    }
  }
  return awaySummary(states, since, until);
}
