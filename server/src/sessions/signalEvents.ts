import type { EventBody, Payload, Usage } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import type { AgentSignal } from '../agents/agent.ts';
import type { BlobStore } from '../store/store.ts';
import type { Draft } from './changeBatch.ts';
import { isOutdated } from './composing.ts';
import type { Runtime } from './runtime.ts';

/** More text than this stands outside the log as a blob; the event keeps a preview. */
const MAX_INLINE_CHARS = 32_768;
const PREVIEW_CHARS = 4096;

type Delta = Extract<AgentSignal, { kind: 'delta' }>;
export type DurableSignal = Exclude<AgentSignal, Delta>;

/** A signal whose large texts are blobs already. */
export interface StoredSignal {
  signal: DurableSignal;
  payload: Payload | undefined;
}

/** Moves a large text of a signal into the blob store. @param clean takes out what may not be stored */
export async function storeLargeText(
  signal: DurableSignal,
  blobs: BlobStore,
  clean: (text: string) => string,
): Promise<StoredSignal> {
  const given = largeText(signal);
  if (given === undefined) {
    return { signal, payload: undefined };
  }
  // A short one is cleaned where it enters the log.
  const text = given.length <= MAX_INLINE_CHARS ? given : clean(given);
  if (text.length <= MAX_INLINE_CHARS) {
    return { signal, payload: { text } };
  }
  const { hash, bytes } = await blobs.put(Buffer.from(text, 'utf8'));
  return { signal, payload: { text: preview(text), blob: { hash, bytes, mediaType: 'text/plain; charset=utf-8' } } };
}

function largeText(signal: DurableSignal): string | undefined {
  switch (signal.kind) {
    case 'text':
    case 'thinking':
      return signal.text;
    case 'toolStarted':
      return signal.input;
    case 'toolFinished':
      return signal.output;
    case 'approvalAsked':
      return signal.approval.input;
    default:
      return undefined;
  }
}

/** The first characters, never half a surrogate pair. */
function preview(text: string): string {
  return text.slice(0, PREVIEW_CHARS).replace(/[\uD800-\uDBFF]$/, '');
}

/** The events that signals become, decided on the state as the previous ones left it. Pure. */
export function draftFrom(signals: readonly StoredSignal[], state: SessionState, runtime: Runtime): Draft {
  const events: EventBody[] = [];
  let answerContexts = { ...runtime.answerContexts };
  let turnUsage: Usage = runtime.turnUsage;
  let open = openTurn(state);
  let last = state.turns.at(-1)?.number ?? 0;
  let sent = sentMessages(state);
  let { backgroundTasks } = runtime;
  let mode = state.permissionMode;
  for (const { signal, payload } of signals) {
    switch (signal.kind) {
      case 'turnStarted':
        if (open === undefined) {
          open = ++last;
          events.push({ type: 'turnStarted', turn: open, messageIds: sent });
        }
        break;
      case 'turnEnded':
        if (open !== undefined) {
          events.push(turnEnd(open, signal, turnUsage));
          open = undefined;
          turnUsage = NO_USAGE;
          // Its questions ended with it.
          answerContexts = {};
        }
        break;
      case 'background':
        backgroundTasks = signal.tasks;
        break;
      case 'commands':
        if (JSON.stringify(signal.commands) !== JSON.stringify(state.commands)) {
          events.push({ type: 'commandsFound', commands: signal.commands });
        }
        break;
      case 'permissionMode':
        // An agent that is to be started again does not know yet what was chosen.
        if (signal.mode !== mode && !isOutdated(state, runtime)) {
          ({ mode } = signal);
          events.push({ type: 'settingsChanged', permissionMode: mode, by: 'agent' });
        }
        break;
      case 'messageTaken':
        sent = sent.filter(id => id !== signal.messageId);
        // An agent that goes on with a turn echoes its message again.
        if (!isTaken(state, signal.messageId)) {
          events.push(toEvent(signal, payload));
        }
        break;
      case 'approvalWithdrawn':
        delete answerContexts[signal.approvalId];
        events.push(toEvent(signal, payload));
        break;
      case 'approvalAsked':
        answerContexts[signal.approvalId] = signal.answerContext;
        events.push(toEvent(signal, payload));
        break;
      default:
        events.push(toEvent(signal, payload));
    }
  }
  return { events, runtime: { answerContexts, turnUsage, backgroundTasks } };
}

function openTurn(state: SessionState): number | undefined {
  const turn = state.turns.at(-1);
  return turn && !turn.agent ? turn.number : undefined;
}

function isTaken({ items }: SessionState, messageId: string): boolean {
  return items.some(item => item.kind === 'message' && item.id === messageId && item.delivery === 'taken');
}

function sentMessages(state: SessionState): string[] {
  return state.items.flatMap(item => (item.kind === 'message' && item.delivery === 'sent' ? [item.id] : []));
}

function turnEnd(turn: number, signal: Extract<DurableSignal, { kind: 'turnEnded' }>, usage: Usage): EventBody {
  return {
    type: 'agentFinished',
    turn,
    outcome: signal.outcome,
    ...(signal.failure ? { failure: signal.failure } : {}),
    usage,
    durationMs: signal.durationMs,
  };
}

function toEvent(
  signal: Exclude<DurableSignal, { kind: 'turnStarted' | 'turnEnded' | 'background' | 'permissionMode' | 'commands' }>,
  payload: Payload | undefined,
): EventBody {
  const stored = payload ?? { text: '' };
  switch (signal.kind) {
    case 'text':
    case 'thinking':
      return {
        type: signal.kind === 'text' ? 'textFinished' : 'thinkingFinished',
        itemId: signal.itemId,
        text: stored,
        ...parent(signal),
      };
    case 'toolStarted':
      return {
        type: 'toolStarted',
        toolId: signal.toolId,
        name: signal.name,
        title: signal.title,
        input: stored,
        ...parent(signal),
      };
    case 'toolFinished':
      return { type: 'toolFinished', toolId: signal.toolId, outcome: signal.outcome, output: stored };
    case 'approvalAsked':
      return { ...signal.approval, type: 'approvalAsked', approvalId: signal.approvalId, input: stored };
    case 'approvalWithdrawn':
      return { type: 'approvalWithdrawn', approvalId: signal.approvalId, reason: signal.reason };
    case 'retrying': {
      const { kind: _kind, ...retry } = signal;
      return { type: 'modelRetrying', ...retry };
    }
    case 'notice': {
      const { kind: _kind, ...notice } = signal;
      return { type: 'noticeRaised', ...notice };
    }
    case 'messageTaken':
      return { type: 'messageTaken', messageId: signal.messageId };
    case 'todos':
      return { type: 'todosChanged', changes: signal.changes, replaces: signal.replaces };
    case 'taskStarted':
      return { type: 'taskStarted', toolId: signal.toolId };
    case 'taskFinished': {
      const { kind, ...task } = signal;
      return { type: kind, ...task };
    }
    case 'context': {
      const { kind: _kind, ...use } = signal;
      return { type: 'contextMeasured', ...use };
    }
  }
}

function parent(signal: { parentToolId?: string }): { parentToolId?: string } {
  return signal.parentToolId === undefined ? {} : { parentToolId: signal.parentToolId };
}
