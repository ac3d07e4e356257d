import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { CallHandlers, CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { EventBody, SessionEvent } from '../../../protocol/events.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { SessionState, SessionSummary } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import type { CallContext } from '../core/callContext.ts';
import type { Mirror } from '../git/mirror.ts';
import { ObjectReader } from '../git/objectReader.ts';
import { writeObject } from '../git/objectWriter.ts';
import { ensureOwnRepository } from '../git/ownRepository.ts';
import { changeTree, treeOf, type TreeEntry } from '../git/tree.ts';
import { commitTree } from '../review/decide.ts';
import { placedEvents, readRecording, type Recording } from '../samples/recording.ts';
import { idOfCall, writeRefs } from './branchSession.ts';
import type { Dependencies } from './dependencies.ts';
import type { Admit, Idempotency, MutatingCall, RecordOf } from './idempotency.ts';
import { LandingQueue } from './landingQueue.ts';
import { firstRuntime, runtimeSchema, type Runtime } from './runtime.ts';
import type { Sessions } from './sessions.ts';

const BRANCH = 'main';
const NOTICE =
  'This is a sample: it was recorded from a session of Claude Code with a scripted model. No agent is behind it, and nothing was spent. Review its changes, comment on them, apply them.';

/** What only an agent, its sandbox or a forge could do. */
const NEEDS_MORE: ReadonlySet<MutatingCall> = new Set<MutatingCall>([
  'session.send',
  'session.retry',
  'session.move',
  'session.configure',
  'checkpoint.restore',
  'checkpoint.undo',
  'checkpoint.branch',
  'review.submit',
  'spec.build',
  'spec.check',
  'spec.extract',
  'pullRequest.open',
  'pullRequest.updateFromBase',
]);

/** Refuses in a sample what nobody is there to do. */
export function refuseInSample(sessions: Pick<Sessions, 'get'>): Admit {
  return async (method, params) => {
    if (!NEEDS_MORE.has(method) || !('sessionId' in params) || typeof params.sessionId !== 'string') {
      return;
    }
    const { runtime } = (await sessions.get(params.sessionId)).log;
    if (runtime.sample) {
      throw new SandpiperError('conflict', 'This is a recorded sample: no agent and no forge are behind it.', {
        hint: 'Start a session of your own for this.',
      });
    }
  };
}

/** The call that makes the sample. */
export function sampleHandlers(
  dependencies: Dependencies,
  sessions: Sessions,
  idempotency: Idempotency,
): Pick<CallHandlers<CallContext>, 'session.sample'> {
  // Two at once would find none and make one each.
  const queue = new LandingQueue();
  return {
    'session.sample': params =>
      idempotency.once('session.sample', params, record =>
        queue.run('sample', () => openSample(dependencies, sessions, params, record)),
      ),
  };
}

async function openSample(
  dependencies: Dependencies,
  sessions: Sessions,
  { key }: CheckedParams<'session.sample'>,
  record: RecordOf,
): Promise<CallResult<'session.sample'>> {
  const recording = readRecording();
  const { base, message, name } = recording;
  const folder = join(dependencies.sampleFolder, name);
  const there = await findSample(dependencies, sessions);
  if (!there) {
    await dependencies.requireRoom();
  }
  const inspected = await ensureOwnRepository(folder, base.commit, { files: base.files, message, branch: BRANCH });
  if (there) {
    const result = { sessionId: there.id, seq: there.seq, folder };
    await dependencies.store.recordCall(record(result));
    return result;
  }
  const { mirror } = await dependencies.mirrors.ensure(inspected, base.commit);
  const checkpoints = await writeTurns(mirror, recording);
  const sessionId = idOfCall(key);
  const created: EventBody = {
    type: 'sessionCreated',
    title: recording.title,
    repository: { ...inspected.repository, branch: BRANCH },
    base: base.commit,
    includesUncommitted: false,
    provider: 'local',
    isolation: 'process',
    agent: 'claude',
    permissionMode: 'acceptEdits',
    sample: true,
  };
  const events = logOf(created, recording, checkpoints);
  const state = stateOf(events, sessionId);
  await dependencies.ownership.confirm();
  await writeRefs(dependencies, state);
  const result = { sessionId, seq: state.seq, folder };
  await dependencies.store.importSession({
    sessionId,
    events: onePage(events),
    row: () => ({
      lastSeq: state.seq,
      summary: summarize(state),
      runtime: JSON.stringify(runtimeIn(folder)),
      journal: undefined,
    }),
    call: record(result),
  });
  await sessions.announce(sessionId);
  return result;
}

function runtimeIn(source: string): Runtime {
  return { ...firstRuntime({ acceptNoIsolation: false }, { source, conversationId: randomUUID() }), sample: true };
}

async function findSample(
  { store }: Dependencies,
  sessions: Sessions,
): Promise<Pick<SessionSummary, 'id' | 'seq'> | undefined> {
  const rows = await store.listSessions({ archived: false, limit: -1 });
  return rows.find(
    ({ summary, runtime }) => sampleSchema.parse(JSON.parse(runtime)).sample && !sessions.isChanging(summary.id),
  )?.summary;
}

const sampleSchema = runtimeSchema.pick({ sample: true });

/** Its checkpoints, oldest first: the same commits each time. */
async function writeTurns(mirror: Mirror, { base, turns }: Recording): Promise<string[]> {
  const reader = new ObjectReader(mirror);
  try {
    const root = await treeOf(reader, base.commit);
    const commits: string[] = [];
    for (const [index, files] of turns.entries()) {
      const changes = new Map<string, TreeEntry>();
      for (const [path, text] of Object.entries(files)) {
        changes.set(path, { mode: '100644', id: await writeObject(mirror, 'blob', Buffer.from(text)) });
      }
      const tree = await changeTree(mirror, reader, root, changes);
      commits.push(await commitTree(mirror, tree, commits.at(-1) ?? base.commit, `turn ${index + 1}`));
    }
    return commits;
  } finally {
    reader.dispose();
  }
}

/** As if it had ended just now. */
function logOf(created: EventBody, recording: Recording, checkpoints: readonly string[]): SessionEvent[] {
  const placed = placedEvents(recording, checkpoints);
  const lengthMs = placed.at(-1)?.afterMs ?? 0;
  const start = Date.now() - lengthMs;
  // Last, where a chat begins to be read.
  const notice: EventBody = { type: 'noticeRaised', level: 'info', text: NOTICE };
  const all = [{ afterMs: 0, body: created }, ...placed, { afterMs: lengthMs, body: notice }];
  return all.map(({ afterMs, body }, index) => ({ seq: index + 1, at: start + afterMs, body }));
}

function stateOf(events: readonly SessionEvent[], sessionId: string): SessionState {
  const state = reduceEvents(undefined, events, sessionId);
  if (!state) {
    throw new SandpiperError('internal', 'The recording of the sample is empty.');
  }
  return state;
}

async function* onePage(events: readonly SessionEvent[]): AsyncGenerator<readonly SessionEvent[]> {
  yield events;
}
