import type { CallResult, CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { BlobRef, EventBody, SessionEvent } from '../../../protocol/events.ts';
import { idPattern, newId } from '../../../protocol/ids.ts';
import { reduceEvents } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { summarize } from '../../../protocol/summarize.ts';
import { acceptedRef, checkpointRef, proposedRef, updateRef } from '../git/refs.ts';
import { conversationName } from './conversations.ts';
import { checkIsolation } from './createSession.ts';
import type { Dependencies } from './dependencies.ts';
import type { RecordOf } from './idempotency.ts';
import { storeFirstImages } from './messageImages.ts';
import { checkpointOf } from './namedTrees.ts';
import { laterTurns, newConversationId, partsOf } from './restoreDecisions.ts';
import { firstRuntime, type Runtime } from './runtime.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { mirrorOf } from './workspace.ts';

type Params = CheckedParams<'checkpoint.branch'>;

const PAGE = 500;

/**
 * Begins a session with the log of another one up to the end of a turn: its transcript, its files, its review as it was then,
 * and a conversation that ends there. The other session is only read. Conversation and refs come first, under an id that
 * the key of the call gives; the session itself and the answer are one transaction. So a repeat after a kill makes the same
 * session, once.
 * @throws `not_found` for a turn without checkpoint or when its conversation is lost, and what `checkIsolation` throws
 */
export async function branchSession(
  dependencies: Dependencies,
  sessions: Sessions,
  params: Params,
  record: RecordOf,
): Promise<CallResult<'checkpoint.branch'>> {
  await dependencies.requireRoom();
  const origin = await sessions.get(params.sessionId);
  const { state } = origin.log;
  checkpointOf(state, params.turn);
  await checkIsolation(dependencies, {
    provider: state.provider,
    acceptNoIsolation: params.acceptNoIsolation,
    permissionMode: state.permissionMode,
  });
  const sessionId = idOfCall(params.key);
  const pictures = await storeFirstImages(dependencies, state.agent.id, params);
  const events = new BranchedLog(dependencies, origin, sessionId, { ...params, pictures });
  const branched = await events.reduce();
  const conversationId = newConversationId(sessionId, 0);
  await copyConversation(dependencies, origin, params.turn, { sessionId, conversationId });
  await dependencies.ownership.confirm();
  await writeRefs(dependencies, branched);
  const seq = branched.seq;
  await dependencies.store.importSession({
    sessionId,
    events: events.pages(),
    row: () => ({
      lastSeq: seq,
      summary: summarize(branched),
      runtime: JSON.stringify(runtimeOf(origin, params, conversationId)),
      journal: undefined,
    }),
    call: record({ sessionId, seq }),
  });
  await sessions.announce(sessionId);
  return { sessionId, seq };
}

/** The same for the same call, so that what an attempt left that was killed is what the next one makes. */
export function idOfCall(key: string): string {
  return idPattern('key').test(key) ? key.replace(/^key_/, 'ses_') : newId('ses');
}

function runtimeOf({ log }: Session, params: Params, conversationId: string): Runtime {
  const { source, budgetUsd } = log.runtime;
  return firstRuntime({ acceptNoIsolation: params.acceptNoIsolation, budgetUsd }, { source, conversationId });
}

type Own = Pick<Params, 'turn' | 'title' | 'prompt'> & { pictures: { images?: BlobRef[] } };

/** The log of the other session up to the end of the turn, and what begins the branch. */
class BranchedLog {
  readonly #dependencies: Dependencies;
  readonly #origin: Session;
  readonly #sessionId: string;
  readonly #own: EventBody[];
  readonly #turn: number;

  constructor(dependencies: Dependencies, origin: Session, sessionId: string, params: Own) {
    const { id, title, provider, isolation } = origin.log.state;
    this.#dependencies = dependencies;
    this.#origin = origin;
    this.#sessionId = sessionId;
    this.#turn = params.turn;
    const { turn, prompt, pictures } = params;
    this.#own = [
      {
        type: 'sessionBranched',
        from: { sessionId: id, title },
        turn,
        title: params.title ?? branchTitle(title, turn),
        place: { provider, isolation },
        by: 'owner',
      },
      ...(prompt === undefined
        ? []
        : [{ type: 'messageQueued', messageId: newId('msg'), text: prompt, by: 'owner', ...pictures } as const]),
    ];
  }

  /** The branch as it begins. */
  async reduce(): Promise<SessionState> {
    let state: SessionState | undefined;
    for await (const page of this.pages()) {
      state = reduceEvents(state, page, this.#sessionId);
    }
    if (!state) {
      throw new SandpiperError('internal', `The log of ${this.#origin.id} is empty.`);
    }
    return state;
  }

  async *pages(): AsyncGenerator<readonly SessionEvent[]> {
    let last: SessionEvent | undefined;
    for (let found = false; !found;) {
      const page = await this.#dependencies.store.readEvents(this.#origin.id, last?.seq ?? 0, PAGE);
      if (page.length === 0) {
        throw new SandpiperError('internal', `The log of ${this.#origin.id} has no end of turn ${this.#turn}.`);
      }
      const end = page.findIndex(event => this.#isEnd(event));
      found = end >= 0;
      const taken = found ? page.slice(0, end + 1) : page;
      last = taken.at(-1);
      yield taken;
    }
    const { seq = 0, at = 0 } = last ?? {};
    const now = Math.max(Date.now(), at);
    yield this.#own.map((body, index) => ({ seq: seq + index + 1, at: now, body }));
  }

  #isEnd({ body }: SessionEvent): boolean {
    return this.#turn === 0 ? body.type === 'sessionCreated' : body.type === 'turnFinished' && body.turn === this.#turn;
  }
}

const MAX_TITLE = 200;

function branchTitle(title: string, turn: number): string {
  const suffix = turn === 0 ? ' (from the start)' : ` (from turn ${turn})`;
  return `${title.slice(0, MAX_TITLE - suffix.length)}${suffix}`;
}

/** What the agent remembers at the end of the turn, as the branch's own. The relay has a copy since that turn ended. */
async function copyConversation(
  { agents, conversations }: Dependencies,
  { log }: Session,
  turn: number,
  branch: { sessionId: string; conversationId: string },
): Promise<void> {
  const { state } = log;
  const agent = agents.get(state.agent.id);
  const from = state.turns.find(({ number }) => number === turn);
  if (!from) {
    return;
  }
  const content = await conversations.read(conversationName(state.id, from.conversation));
  const later = partsOf(state, laterTurns(state, turn, from.conversation));
  const cut = content && agent?.cutConversation?.(content, later, branch.conversationId);
  if (!cut) {
    throw new SandpiperError('not_found', 'What the agent remembered of that turn is not there any more.', {
      hint: 'Start a new session from the checkpoint, and tell the agent what it needs to know.',
    });
  }
  await conversations.write(conversationName(branch.sessionId, undefined), cut);
}

/** So that nothing of the branch depends on the other session. */
export async function writeRefs(dependencies: Dependencies, state: SessionState): Promise<void> {
  const { id, turns, accepted, proposed } = state;
  const mirror = mirrorOf(dependencies, state);
  for (const { number, checkpoint } of turns) {
    if (checkpoint) {
      await updateRef(mirror, checkpointRef(id, number), checkpoint.commit);
    }
  }
  await updateRef(mirror, acceptedRef(id), accepted);
  await updateRef(mirror, proposedRef(id), proposed);
}
