import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RelayClient } from '../client/relayClient.ts';
import type { SessionEvent } from '../protocol/events.ts';
import { reduceEvents } from '../protocol/reducer.ts';
import { readClientLog } from './clientLog.ts';
import { sessionsIn, settingsSchema } from './clientMain.ts';
import { readCommitFiles } from './commitFiles.ts';
import { commitsIn } from './judgeTrees.ts';
import type { Problem, SessionEvidence } from './oracle.ts';
import { Outbox } from './outbox.ts';
import { deedsOf, isDone } from './person.ts';
import { logFile, sessionBegunBy } from './sessionRunner.ts';

const PAGE = 1000;

/**
 * Collects what is left of every session: from the store through the relay, from the mirrors, and from the folder of the
 * client.
 */
export async function gatherEvidence(options: {
  client: RelayClient;
  clientFolder: string;
  dataFolder: string;
  agentKills: ReadonlyMap<string, number>;
}): Promise<{ evidence: SessionEvidence[]; stuck: Problem[] }> {
  const { client, clientFolder, agentKills } = options;
  const settings = settingsSchema.parse(JSON.parse(readFileSync(join(clientFolder, 'settings.json'), 'utf8')));
  const outbox = new Outbox(join(clientFolder, 'outbox.jsonl'));
  outbox.close();
  const evidence: SessionEvidence[] = [];
  const stuck: Problem[] = [];
  const logs = new Map<string, SessionEvent[]>();
  for (const { entry, plan, origin } of sessionsIn(outbox, settings)) {
    const { outcome } = entry;
    const sessionId = sessionBegunBy(entry);
    if (sessionId === undefined) {
      const why = outcome.kind === 'refused' ? outcome.message : 'the relay never answered';
      if (origin === undefined) {
        stuck.push({ kind: 'stuck', text: `Session ${plan.index} was not begun: ${why}.` });
      }
      continue;
    }
    const stored = await readLog(client, sessionId);
    logs.set(sessionId, stored);
    const typed = outbox.entriesOf(sessionId);
    const state = reduceEvents(undefined, stored, sessionId);
    const deeds = deedsOf(typed, deed => outbox.isSkipped(sessionId, deed), plan);
    if (!state || !isDone(state, plan, deeds)) {
      const last = stored.at(-1);
      stuck.push({
        kind: 'stuck',
        sessionId,
        text: `It is ${JSON.stringify(state?.phase)} after event ${last?.seq} (${last?.body.type}).`,
      });
    }
    const { comments } = await client.call('review.comments', { sessionId });
    const mirror = join(options.dataFolder, 'mirrors', `${state?.repository.id ?? 'none'}.git`);
    const branched = stored.findLastIndex(({ body }) => body.type === 'sessionBranched');
    const originLog = logs.get(origin ?? '');
    evidence.push({
      sessionId,
      plan,
      stored,
      own: origin === undefined ? stored : stored.slice(branched + 1),
      ...(originLog ? { origin: originLog } : {}),
      copied: readClientLog(logFile(clientFolder, sessionId)),
      typed: [entry, ...typed],
      contents: await readCommitFiles(mirror, commitsIn(stored)),
      comments,
      agentKills: agentKills.get(sessionId) ?? 0,
    });
  }
  return { evidence, stuck: [...stuck, ...(await unknownSessions(client, new Set(logs.keys())))] };
}

/** Sessions that nobody began, or one twice. */
async function unknownSessions(client: RelayClient, known: ReadonlySet<string>): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await client.call('session.list', { limit: 500, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id } of page.sessions.filter(session => !known.has(session.id))) {
      problems.push({ kind: 'duplicated', sessionId: id, text: 'Nobody began this session.' });
    }
    cursor = page.nextCursor;
    if (cursor === undefined) {
      return problems;
    }
  }
}

async function readLog(client: RelayClient, sessionId: string): Promise<SessionEvent[]> {
  const all: SessionEvent[] = [];
  for (;;) {
    const { events, lastSeq } = await client.call('session.events', { sessionId, after: all.length, limit: PAGE });
    all.push(...events);
    if (events.length === 0 || all.length >= lastSeq) {
      return all;
    }
  }
}
