import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { EventBody } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import { reduceEvents } from '../../protocol/reducer.ts';
import { summarize } from '../../protocol/summarize.ts';
import { NO_USAGE } from '../../protocol/usage.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { linuxProcesses } from '../../server/src/sandboxes/local/linuxProcesses.ts';
import { createLocalProvider } from '../../server/src/sandboxes/local/localProvider.ts';
import { psProcesses } from '../../server/src/sandboxes/local/psProcesses.ts';
import { writeStartRecord } from '../../server/src/sandboxes/local/sandboxRecords.ts';
import type { Runtime } from '../../server/src/sessions/runtime.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import type { Store } from '../../server/src/store/store.ts';

export interface LiveSession {
  id: string;
  /** The file that its agent writes its lines to, on this machine. */
  journal: string;
}

const AT_ONCE = 16;
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/**
 * Writes sessions into the data folder of a relay that does not run, such as one that was killed leaves them: in the middle
 * of a turn, each with its sandbox and its journal. The relay that starts there next takes up every one of them.
 *
 * @param agentPid the process that plays the agents: it stands in every record as the agent of that sandbox
 * @param live without it the sessions are finished ones, whose agents have ended
 */
export async function addSessions(
  dataFolder: string,
  options: { count: number; agentPid: number; live: boolean },
): Promise<LiveSession[]> {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const store = await openStore({ file: join(dataFolder, 'relay.db'), log: silentLogger });
  try {
    const sessions: LiveSession[] = [];
    while (sessions.length < options.count) {
      const some = Array.from({ length: Math.min(AT_ONCE, options.count - sessions.length) });
      sessions.push(...(await Promise.all(some.map(() => addSession(store, dataFolder, options)))));
    }
    return sessions;
  } finally {
    await store.close();
  }
}

async function addSession(
  store: Store,
  dataFolder: string,
  { agentPid, live }: { agentPid: number; live: boolean },
): Promise<LiveSession> {
  const id = newId('ses');
  const folder = join(dataFolder, 'sandboxes');
  // Without a PATH there is no bubblewrap: reading a journal costs the relay the same, and nothing is run in there.
  const provider = createLocalProvider({ folder, log: silentLogger, path: '' });
  const { ref } = await provider.create({ key: id, acceptNoIsolation: true, mounts: [] });
  const processes = process.platform === 'linux' ? linuxProcesses() : psProcesses();
  const main = await processes.identify(agentPid);
  if (!main) {
    throw new Error('The process that plays the agents has ended.');
  }
  await writeStartRecord(join(folder, ref.id, 'relay'), 'agent-1', { state: 'started', main, others: [] });
  const segment = join(folder, ref.id, 'journal', '1');
  mkdirSync(segment);
  const journal = join(segment, 'out');
  closeSync(openSync(journal, 'a', 0o600));
  const at = Date.now();
  const events = firstEvents(ref.id, live).map((body, index) => ({ seq: index + 1, at, body }));
  const state = reduceEvents(undefined, events, id);
  if (!state) {
    throw new Error('A session has no events.');
  }
  const runtime: Runtime = {
    source: '/none',
    conversationId: randomUUID(),
    acceptNoIsolation: true,
    sandbox: ref,
    cloned: true,
    inputs: 0,
    answerContexts: {},
    turnUsage: NO_USAGE,
  };
  await store.append({
    sessionId: id,
    expectedSeq: 0,
    events,
    summary: summarize(state),
    runtime: JSON.stringify(runtime),
  });
  return { id, journal };
}

function firstEvents(sandboxId: string, live: boolean): EventBody[] {
  const messageId = newId('msg');
  const begin: EventBody[] = [
    {
      type: 'sessionCreated',
      title: 'A session under load',
      repository: { id: 'load', name: 'load', source: '/none' },
      base: COMMIT,
      includesUncommitted: false,
      provider: 'local',
      isolation: 'none',
      agent: 'claude',
      permissionMode: 'ask',
    },
    { type: 'messageQueued', messageId, text: 'Work.', by: 'owner' },
    { type: 'sandboxReady', provider: 'local', isolation: 'none', sandboxId },
    { type: 'agentStarted', agent: 'claude', version: '0', segment: 1, resumed: false },
    { type: 'messageSent', messageId },
    { type: 'turnStarted', turn: 1, messageIds: [messageId] },
    { type: 'messageTaken', messageId },
  ];
  const end: EventBody[] = [
    { type: 'agentFinished', turn: 1, outcome: 'completed', usage: NO_USAGE, durationMs: 1 },
    {
      type: 'turnFinished',
      turn: 1,
      outcome: 'completed',
      checkpoint: COMMIT,
      changed: false,
      stats: { files: 0, insertions: 0, deletions: 0 },
      review: { pendingFiles: 0, pending: 0, reviewed: 0 },
    },
    { type: 'agentEnded', segment: 1, exitCode: 0, expected: true, cause: 'It had nothing to do.' },
  ];
  return live ? begin : [...begin, ...end];
}
