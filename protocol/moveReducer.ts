import { providerName } from './providerName.ts';
import { notice, type Handlers } from './reducerParts.ts';

/* The part of the reducer that follows a session to another sandbox provider. */

export const moveHandlers: Handlers<'moveStarted' | 'sessionMoved' | 'moveFailed'> = {
  moveStarted: (_state, { type: _type, ...move }, { at, seq }) => ({ moving: { ...move, seq, since: at } }),
  sessionMoved: (_state, { from, to }, { at, seq, items }) => {
    items.add(notice(seq, at, 'info', `Moved from ${providerName(from)} to ${providerName(to)}.`));
    return { moving: undefined };
  },
  moveFailed: (state, { move, failure }, { at, seq, items }) => {
    if (state.moving?.seq !== move) {
      return {};
    }
    const to = providerName(state.moving.provider);
    // What a person stopped is no failure.
    const level = failure.code === 'stopped' ? 'info' : 'error';
    items.add(notice(seq, at, level, `Not moved to ${to}: ${failure.message}`, failure.hint));
    return { moving: undefined };
  },
};
