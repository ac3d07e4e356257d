import type { Handlers } from './reducerParts.ts';

/* The part of the reducer that follows what the agent may do without asking. */

export const ruleHandlers: Handlers<'rulesChanged'> = {
  rulesChanged: (_state, { rules }) => ({ rules: rules.length === 0 ? undefined : rules }),
};
