import type { EventBody, EventOf } from './events.ts';
import type { ItemEditor } from './itemEditor.ts';
import type { Item, Phase, SessionState, Turn } from './session.ts';

/* What the parts of the reducer share. */

type Ending =
  | 'pinned'
  | 'tags'
  | 'rules'
  | 'stuck'
  | 'interrupted'
  | 'recovering'
  | 'restoring'
  | 'updating'
  | 'moving'
  | 'restored'
  | 'heads'
  | 'conversation'
  | 'pullRequest'
  | 'model'
  | 'effort'
  | 'spec'
  | 'extracting';

/** What an event changes. A field of `Ending` that is named undefined is taken away. */
export type Patch = Partial<Omit<SessionState, 'items' | Ending>> & { [K in Ending]?: SessionState[K] | undefined };

export interface Step {
  at: number;
  seq: number;
  items: ItemEditor;
}

export type Handlers<T extends EventBody['type'] = EventBody['type']> = {
  [K in T]: (state: SessionState, body: EventOf<K>, step: Step) => Patch;
};

/** The patched state. What has ended is absent, so that a state is the same after JSON as before. */
export function patched(state: SessionState, patch: Patch): Omit<SessionState, 'items'> {
  const {
    pinned,
    tags,
    rules,
    stuck,
    interrupted,
    recovering,
    restoring,
    updating,
    moving,
    restored,
    heads,
    conversation,
    pullRequest,
    model,
    effort,
    spec,
    extracting,
    ...rest
  } = {
    ...state,
    ...patch,
  };
  return {
    ...rest,
    ...(pinned ? { pinned } : {}),
    ...(tags ? { tags } : {}),
    ...(rules ? { rules } : {}),
    ...(stuck ? { stuck } : {}),
    ...(interrupted ? { interrupted } : {}),
    ...(recovering ? { recovering } : {}),
    ...(restoring ? { restoring } : {}),
    ...(updating ? { updating } : {}),
    ...(moving ? { moving } : {}),
    ...(restored === undefined ? {} : { restored }),
    ...(heads ? { heads } : {}),
    ...(conversation === undefined ? {} : { conversation }),
    ...(pullRequest ? { pullRequest } : {}),
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
    ...(spec ? { spec } : {}),
    ...(extracting ? { extracting } : {}),
  };
}

export function notice(
  seq: number,
  at: number,
  level: 'info' | 'warning' | 'error',
  text: string,
  hint?: string,
): Item {
  return { kind: 'notice', id: `notice:${seq}`, at, level, text, ...(hint === undefined ? {} : { hint }) };
}

/** What a session is doing that is neither preparing nor blocked, by its turns alone. */
export function phaseOfTurns(turns: readonly Turn[], at: number): Phase {
  const open = turns.find(turn => !turn.agent);
  if (open) {
    return { kind: 'working', turn: open.number, since: open.startedAt };
  }
  const unsaved = turns.find(turn => !turn.checkpoint);
  return unsaved ? { kind: 'checkpointing', turn: unsaved.number, since: at } : { kind: 'idle', since: at };
}

export function withTurn(turns: Turn[], number: number, patch: Partial<Turn>): Turn[] {
  return turns.map(turn => (turn.number === number ? { ...turn, ...patch } : turn));
}
