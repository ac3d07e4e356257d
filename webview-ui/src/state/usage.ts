import type { SessionState, Turn } from '../../../protocol/session.ts';

/** How much of the model's memory is full, from 0 to 1; undefined when the agent did not say what it holds. */
export function contextShare({ context }: SessionState): number | undefined {
  return context?.window === undefined ? undefined : Math.min(1, context.tokens / context.window);
}

/** The turns that used something, newest first. */
export function spentTurns({ turns }: SessionState): (Turn & Required<Pick<Turn, 'agent'>>)[] {
  return turns.filter((turn): turn is Turn & Required<Pick<Turn, 'agent'>> => turn.agent !== undefined).reverse();
}
