import { join } from 'node:path';
import type { RelayClient } from '../client/relayClient.ts';
import type { SessionEvent } from '../protocol/events.ts';
import { reduceEvents } from '../protocol/reducer.ts';
import { readClientLog } from './clientLog.ts';
import { logFile } from './clientMain.ts';
import type { Problem, SessionEvidence } from './oracle.ts';
import { Outbox } from './outbox.ts';
import { isDone } from './person.ts';
import { planSession } from './plan.ts';
import { EFFECTS_FILE } from './work.ts';
import { readFileSync } from 'node:fs';
import { settingsSchema } from './clientMain.ts';

const PAGE = 1000;

/** Collects what is left of every session: from the store through the relay, and from the folder of the client. */
export async function gatherEvidence(options: {
  client: RelayClient;
  clientFolder: string;
  agentKills: ReadonlyMap<string, number>;
  seed: number;
}): Promise<{ evidence: SessionEvidence[]; stuck: Problem[] }> {
  const { client, clientFolder, agentKills, seed } = options;
  const settings = settingsSchema.parse(JSON.parse(readFileSync(join(clientFolder, 'settings.json'), 'utf8')));
  const outbox = new Outbox(join(clientFolder, 'outbox.jsonl'));
  const { entries } = outbox;
  outbox.close();
  const evidence: SessionEvidence[] = [];
  const stuck: Problem[] = [];
  for (const create of entries) {
    if (create.typed.call !== 'session.create') {
      continue;
    }
    const { outcome } = create;
    const plan = planSession(seed, create.typed.index, settings);
    if (outcome.kind !== 'acknowledged' || outcome.sessionId === undefined) {
      const why = outcome.kind === 'refused' ? outcome.message : 'the relay never answered';
      stuck.push({ kind: 'stuck', text: `Session ${plan.index} was not begun: ${why}.` });
      continue;
    }
    const { sessionId } = outcome;
    const stored = await readLog(client, sessionId);
    const state = reduceEvents(undefined, stored, sessionId);
    if (!state || !isDone(state, plan)) {
      const last = stored.at(-1);
      stuck.push({
        kind: 'stuck',
        sessionId,
        text: `It is ${JSON.stringify(state?.phase)} after event ${last?.seq} (${last?.body.type}).`,
      });
    }
    const { content } = await client.call('changes.file', { sessionId, side: 'proposed', path: EFFECTS_FILE });
    evidence.push({
      sessionId,
      plan,
      stored,
      copied: readClientLog(logFile(clientFolder, sessionId)),
      typed: [
        create,
        ...entries.filter(({ typed }) => typed.call !== 'session.create' && typed.sessionId === sessionId),
      ],
      effects: content,
      agentKills: agentKills.get(sessionId) ?? 0,
    });
  }
  return { evidence, stuck };
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
