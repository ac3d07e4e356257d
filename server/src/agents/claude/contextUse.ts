import type { AgentSignal } from '../agent.ts';
import type { ContextState } from './decoderState.ts';
import type { ClaudeLine, TurnResult } from './streamJson.ts';

/** A meter needs no more than this: not every request is worth an entry in the log. */
const CONTEXT_STEP_TOKENS = 5000;

/** After the beginning of an answer. Subagents have a memory of their own. */
export function contextOf(
  context: ContextState,
  { lane, event }: Extract<ClaudeLine, { type: 'stream' }>,
): AgentSignal[] {
  if (lane !== '' || event.kind !== 'messageStart' || event.held === 0) {
    return [];
  }
  if (event.model !== context.model) {
    context.window = 0;
  }
  context.model = event.model;
  context.held = event.held;
  return Math.abs(event.held - context.told) < CONTEXT_STEP_TOKENS ? [] : tellContext(context);
}

function tellContext(context: ContextState): AgentSignal[] {
  const { held, window } = context;
  context.told = held;
  return [{ kind: 'context', tokens: held, ...(window > 0 ? { window } : {}) }];
}

/** At the end of a turn the meter is exact. */
export function contextAtEnd(context: ContextState, { windows }: TurnResult): AgentSignal[] {
  const window = windowOf(context.model, windows) ?? context.window;
  if (context.held === 0 || (context.held === context.told && window === context.window)) {
    return [];
  }
  context.window = window;
  return tellContext(context);
}

/** Its name can be longer here than in the answer: with the date, or with the variant in brackets. */
function windowOf(model: string, windows: TurnResult['windows']): number | undefined {
  const names = Object.keys(windows).filter(name => name.startsWith(model));
  const exact = names.find(name => name === model) ?? names[0];
  return exact === undefined ? undefined : windows[exact];
}
