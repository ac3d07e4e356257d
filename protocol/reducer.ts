import { baseHandlers } from './baseReducer.ts';
import type { EventBody, EventOf, SessionEvent } from './events.ts';
import { feedbackHandlers } from './feedbackReducer.ts';
import { composingHandlers } from './composingReducer.ts';
import { checkpointHandlers, standingOf } from './checkpointReducer.ts';
import { interruptedBy, recoveryText } from './interruption.ts';
import { importHandlers } from './importReducer.ts';
import { ItemEditor } from './itemEditor.ts';
import { endTasks, progressHandlers } from './progressReducer.ts';
import { networkHandlers } from './networkReducer.ts';
import { labelHandlers } from './labelsReducer.ts';
import { moveHandlers } from './moveReducer.ts';
import { notice, patched, phaseOfTurns, withTurn, type Handlers, type Patch, type Step } from './reducerParts.ts';
import { reviewAfterDecision, reviewAfterTurn } from './reviewReducer.ts';
import type { Approval, Item, SessionState, ToolItem } from './session.ts';
import { ruleHandlers } from './rulesReducer.ts';
import { endedWork, extractHandlers, specHandlers, withAnswer } from './specReducer.ts';
import { isSpecQuestion } from './specWork.ts';
import { turnToStop } from './stopping.ts';
import { addUsage, NO_USAGE } from './usage.ts';

const MAX_ANSWERED = 50;

/**
 * The session after one more event. Pure, and the same code in the relay, the extension and the webview, so that what a
 * session "is" is decided once. Events of a type it does not know only move `seq`.
 *
 * @param state undefined before the first event, which must be `sessionCreated`
 * @throws when `event.seq` is not the next one: whoever feeds the reducer has lost events and must ask for them
 */
export function reduceSession(state: SessionState | undefined, event: SessionEvent, sessionId: string): SessionState {
  return reduceOne(state, event, sessionId, new ItemEditor(state?.items ?? []));
}

/**
 * The session after many events: the same as one after the other, but the items are copied once and not for every event.
 * Undefined only without a state and without events.
 */
export function reduceEvents(
  state: SessionState | undefined,
  events: readonly SessionEvent[],
  sessionId: string,
): SessionState | undefined {
  const items = new ItemEditor(state?.items ?? []);
  let next = state;
  for (const event of events) {
    next = reduceOne(next, event, sessionId, items);
  }
  return next;
}

/** The state that comes out shares its items with the editor: it is handed out only when the editor is done with. */
function reduceOne(
  state: SessionState | undefined,
  event: SessionEvent,
  sessionId: string,
  items: ItemEditor,
): SessionState {
  const expected = (state?.seq ?? 0) + 1;
  if (event.seq !== expected) {
    throw new Error(`Session ${sessionId}: event ${event.seq} came where ${expected} was due`);
  }
  if (!state) {
    if (event.body.type !== 'sessionCreated') {
      throw new Error(`Session ${sessionId}: the log begins with ${event.body.type}`);
    }
    return createdState(sessionId, event.at, event.body);
  }
  const patch = apply(state, event.body, { at: event.at, seq: event.seq, items });
  return { ...patched(state, patch), items: items.list, seq: event.seq, updatedAt: event.at };
}

function createdState(id: string, at: number, body: EventOf<'sessionCreated'>): SessionState {
  return {
    id,
    seq: 1,
    createdAt: at,
    updatedAt: at,
    title: body.title,
    archived: false,
    repository: body.repository,
    base: body.base,
    includesUncommitted: body.includesUncommitted,
    provider: body.provider,
    isolation: body.isolation,
    agent: { id: body.agent, running: false, segment: 0 },
    ...(body.model === undefined ? {} : { model: body.model }),
    ...(body.effort === undefined ? {} : { effort: body.effort }),
    permissionMode: body.permissionMode,
    ...(body.origin === undefined ? {} : { origin: body.origin }),
    phase: { kind: 'preparing', step: 'mirror', since: at },
    recoveries: 0,
    turns: [],
    items: [],
    omittedItems: 0,
    approvals: [],
    answered: [],
    usage: NO_USAGE,
    proposed: body.base,
    accepted: body.base,
    review: { pendingFiles: 0, pending: 0, reviewed: 0, conflicts: [], decisions: [] },
    stats: { files: 0, insertions: 0, deletions: 0 },
  };
}

/** One case per event; a new event does not compile until it has one. */
const handlers: Handlers = {
  sessionCreated: () => ({}),
  sessionRenamed: (_state, body) => ({ title: body.title }),
  sessionArchived: (state, body, { at }) => ({
    archived: body.archived,
    ...(body.archived ? { moving: undefined, ...endedWork(state, 'The session was archived.', at) } : {}),
  }),
  preparing: (_state, body, { at }) => ({ phase: { kind: 'preparing', step: body.step, since: at } }),
  sandboxReady: (_state, body) => ({ provider: body.provider, isolation: body.isolation }),
  agentStarted: (state, body, { at }) => ({
    agent: { id: body.agent, version: body.version, running: true, segment: body.segment },
    ...(state.phase.kind === 'preparing' ? { phase: { kind: 'idle', since: at } as const } : {}),
    // Without a turn to go on with there is nothing more to wait for.
    ...(state.interrupted ? {} : { recovering: undefined }),
  }),
  agentEnded: (state, body, { at, seq, items }) => {
    // What the agent had not taken yet goes to the next one.
    items.change(item =>
      item.kind === 'message' && item.delivery === 'sent' ? { ...item, delivery: 'queued' } : undefined,
    );
    const interrupted = interruptedBy(state, items.list, body, at);
    const closed = closeOpen(state, items, at, 'The agent ended.');
    endTasks(items, at);
    if (!body.expected) {
      items.add(notice(seq, at, 'warning', body.cause));
    }
    return {
      ...closed,
      agent: { ...state.agent, running: false },
      stuck: undefined,
      ...(interrupted ? { interrupted } : {}),
    };
  },
  stuckNoticed: (_state, { since, cause, hint, automatic }, { at, seq, items }) => {
    items.add(notice(seq, at, 'warning', cause, hint));
    return { stuck: { since, cause, automatic } };
  },
  stuckEnded: () => ({ stuck: undefined }),
  recoveryStarted: (state, body, { at, seq, items }) => {
    const { type: _type, ...recovery } = body;
    items.add(notice(seq, at, 'info', recoveryText(body)));
    return {
      recovering: { ...recovery, since: at, segment: state.agent.segment },
      recoveries: body.attempt,
      stuck: undefined,
    };
  },
  recoveryEnded: (_state, body, { at, seq, items }) => {
    items.add(notice(seq, at, 'info', body.text));
    return { recovering: undefined, interrupted: undefined };
  },
  sandboxLost: (state, body, { at, seq, items }) => {
    items.add(notice(seq, at, 'warning', `${body.cause} ${body.lost}`));
    items.change(item =>
      item.kind === 'message' && body.turn !== undefined && (item.turn ?? 0) >= body.turn
        ? { ...item, delivery: 'queued' }
        : undefined,
    );
    return {
      recoveries: state.recoveries + 1,
      // Its message begins it anew.
      ...(body.turn === state.interrupted?.turn ? { interrupted: undefined, recovering: undefined } : {}),
    };
  },
  sessionBlocked: (_state, body, { at, seq, items }) => {
    items.add(notice(seq, at, 'error', body.failure.message, body.failure.hint));
    return { stuck: undefined, recovering: undefined, phase: { kind: 'blocked', failure: body.failure, since: at } };
  },
  sessionResumed: (state, _body, { at }) => ({ phase: phaseOfTurns(state.turns, at) }),
  messageSent: (_state, body, { items }) => withDelivery(items, body.messageId, 'sent'),
  messageTaken: (state, body, { items }) => withDelivery(items, body.messageId, 'taken', state.turns.at(-1)?.number),
  turnStarted: (state, body, { at }) => ({
    // A stop that was asked for before the turn began is meant for it.
    phase:
      state.phase.kind === 'stopping' && state.phase.turn === body.turn
        ? state.phase
        : { kind: 'working', turn: body.turn, since: at },
    turns: [...state.turns, { number: body.turn, messageIds: body.messageIds, startedAt: at, ...standingOf(state) }],
    heads: undefined,
    stuck: undefined,
    recovering: undefined,
    interrupted: undefined,
  }),
  textFinished: (state, body, { at, items }) => {
    items.add(textItem(state, 'text', body, at));
    return resumed(state);
  },
  thinkingFinished: (state, body, { at, items }) => {
    items.add(textItem(state, 'thinking', body, at));
    return resumed(state);
  },
  toolStarted: (state, body, { at, items }) => {
    items.add({
      kind: 'tool',
      id: body.toolId,
      at,
      turn: currentTurn(state),
      name: body.name,
      title: body.title,
      input: body.input,
      ...(body.parentToolId === undefined ? {} : { parentToolId: body.parentToolId }),
      state: 'running',
    });
    return resumed(state);
  },
  toolFinished: (_state, body, { at, items }) => ({
    ...withTool(items, body.toolId, { state: body.outcome, output: body.output, finishedAt: at }),
    stuck: undefined,
  }),
  approvalAsked: (state, body, { at, items }) => {
    const { type: _type, approvalId, ...rest } = body;
    const approval: Approval = { id: approvalId, at, ...rest };
    if (body.toolId !== undefined) {
      withTool(items, body.toolId, { state: 'waiting' });
    }
    return { stuck: undefined, approvals: [...state.approvals.filter(other => other.id !== approvalId), approval] };
  },
  approvalAnswered: (state, body, { at, items }) => {
    const asked = state.approvals.find(open => open.id === body.approvalId);
    return {
      ...settled(state, items, body.approvalId, {
        decision: body.decision,
        by: body.by,
        ...(body.via === undefined ? {} : { via: body.via }),
      }),
      ...(asked ? withAnswer(state, body, asked.at, at) : {}),
    };
  },
  approvalWithdrawn: (state, body, { items }) => settled(state, items, body.approvalId, { withdrawn: body.reason }),
  modelRetrying: (state, body) => (state.phase.kind === 'working' ? { phase: { ...state.phase, retry: body } } : {}),
  noticeRaised: (_state, body, { at, seq, items }) => {
    items.add(notice(seq, at, body.level, body.text, body.hint));
    return {};
  },
  stopRequested: (state, _body, { at }) => {
    const turn = turnToStop(state);
    return turn === undefined ? {} : { recovering: undefined, phase: { kind: 'stopping', turn, since: at } };
  },
  agentFinished: (state, body, { at, items }) => ({
    stuck: undefined,
    ...(body.outcome === 'failed' ? {} : { recoveries: 0 }),
    ...closeOpen(state, items, at, 'The turn ended.'),
    phase: { kind: 'checkpointing', turn: body.turn, since: at },
    turns: withTurn(state.turns, body.turn, {
      agent: {
        outcome: body.outcome,
        ...(body.failure ? { failure: body.failure } : {}),
        usage: body.usage,
        durationMs: body.durationMs,
        at,
      },
    }),
    usage: addUsage(state.usage, body.usage),
  }),
  turnFinished: (state, body, { at, seq, items }) => {
    const ended = state.turns.find(turn => turn.number === body.turn)?.agent;
    const turns = withTurn(state.turns, body.turn, {
      checkpoint: { commit: body.checkpoint, changed: body.changed, stats: body.stats, at },
    });
    items.add({
      kind: 'turnEnd',
      id: `turnEnd:${seq}`,
      at,
      turn: body.turn,
      outcome: body.outcome,
      changed: body.changed,
      ...(ended?.failure ? { failure: ended.failure } : {}),
      usage: ended?.usage ?? NO_USAGE,
      durationMs: ended?.durationMs ?? 0,
    });
    return {
      ...(isPhaseOf(state, body.turn) ? { phase: phaseOfTurns(turns, at) } : {}),
      turns,
      restored: undefined,
      proposed: body.proposed ?? body.checkpoint,
      review: reviewAfterTurn(state.review, body),
      stats: body.stats,
    };
  },
  reviewDecided: (state, body, { seq }) => reviewAfterDecision(state, body, seq),
  ...checkpointHandlers,
  ...baseHandlers,
  pullRequestOpened: (_state, body) => ({ pullRequest: body.pullRequest }),
  pullRequestChanged: (_state, body) => ({ pullRequest: body.pullRequest }),
  ...feedbackHandlers,
  ...composingHandlers,
  ...progressHandlers,
  ...networkHandlers,
  ...labelHandlers,
  ...moveHandlers,
  ...ruleHandlers,
  ...importHandlers,
  ...specHandlers,
  ...extractHandlers,
};

function apply<T extends EventBody['type']>(state: SessionState, body: EventOf<T>, step: Step): Patch {
  // Looked up by name at run time too: an event of a newer relay has no handler here. Own names only, for `toString`.
  const handler: ((state: SessionState, body: EventOf<T>, step: Step) => Patch) | undefined = Object.hasOwn(
    handlers,
    body.type,
  )
    ? handlers[body.type as T]
    : undefined;
  return handler ? handler(state, body, step) : {};
}

/** Whether the end of this turn may change the phase: the agent can have begun another turn by itself meanwhile. */
function isPhaseOf({ phase }: SessionState, turn: number): boolean {
  return phase.kind === 'checkpointing' || phase.kind === 'preparing' || ('turn' in phase && phase.turn === turn);
}

function currentTurn(state: SessionState): number {
  return state.turns.at(-1)?.number ?? 0;
}

/** The agent gave a sign of life, and the model answered: neither is it stuck nor does it retry. */
function resumed(state: SessionState): Patch {
  if (state.phase.kind !== 'working' || !state.phase.retry) {
    return { stuck: undefined };
  }
  const { retry: _retry, ...phase } = state.phase;
  return { stuck: undefined, phase };
}

/** Nobody will finish these calls or take these answers any more. */
function closeOpen(state: SessionState, items: ItemEditor, at: number, reason: string): Patch {
  items.change(item => (isOpenTool(item) ? { ...item, state: 'stopped', finishedAt: at } : undefined));
  // What a spec asks waits for no agent.
  const closed = state.approvals.filter(({ id }) => !isSpecQuestion(id));
  return closed.length === 0
    ? {}
    : {
        approvals: state.approvals.filter(({ id }) => isSpecQuestion(id)),
        answered: [...state.answered, ...closed.map(open => ({ ...open, answer: { withdrawn: reason } }))].slice(
          -MAX_ANSWERED,
        ),
      };
}

function textItem(
  state: SessionState,
  kind: 'text' | 'thinking',
  body: EventOf<'textFinished'> | EventOf<'thinkingFinished'>,
  at: number,
): Item {
  return {
    kind,
    id: body.itemId,
    at,
    turn: currentTurn(state),
    text: body.text,
    ...(body.parentToolId === undefined ? {} : { parentToolId: body.parentToolId }),
  };
}

function isOpenTool(item: Item): item is ToolItem {
  return item.kind === 'tool' && (item.state === 'running' || item.state === 'waiting');
}

function withDelivery(items: ItemEditor, messageId: string, delivery: 'sent' | 'taken', turn?: number): Patch {
  items.changeLast(item =>
    item.kind === 'message' && item.id === messageId
      ? { ...item, delivery, ...(turn === undefined ? {} : { turn }) }
      : undefined,
  );
  return {};
}

function withTool(items: ItemEditor, toolId: string, patch: Partial<ToolItem>): Patch {
  items.changeLast(item => (item.kind === 'tool' && item.id === toolId ? { ...item, ...patch } : undefined));
  return {};
}

function settled(
  state: SessionState,
  items: ItemEditor,
  approvalId: string,
  answer: SessionState['answered'][number]['answer'],
): Patch {
  const approval = state.approvals.find(open => open.id === approvalId);
  if (!approval) {
    return {};
  }
  if (approval.toolId !== undefined && 'decision' in answer && answer.decision.kind !== 'deny') {
    withTool(items, approval.toolId, { state: 'running' });
  }
  return {
    approvals: state.approvals.filter(open => open !== approval),
    answered: [...state.answered, { ...approval, answer }].slice(-MAX_ANSWERED),
  };
}
