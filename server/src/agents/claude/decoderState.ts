import { fields, list, optionalText, text } from './streamJson.ts';
import type { Lane, Lanes } from './liveBlocks.ts';
import type { TodoCall } from './todos.ts';

/** All that the decoder remembers between two lines; stored as JSON with the journal's offset. */
export interface DecoderState {
  turnOpen: boolean;
  workspace: string | undefined;
  lanes: Lanes;
  /** Calls without a result yet: tool id to the tool id of the subagent they belong to, empty for the agent itself. */
  openTools: Map<string, string>;
  /** Calls that were refused; the mark goes with the result. */
  refused: string[];
  /** Approvals that are asked and not settled: approval id to tool id. */
  asked: Map<string, string>;
  /** Messages whose echo was seen, the newest last. A resent message is echoed again. */
  taken: string[];
  /** Modes that the agent was told to take and took; it says each once more, which is no change of its own. */
  toldModes: string[];
  /** Calls without a result yet that keep the list of things to do. */
  todoCalls: Map<string, TodoCall>;
  context: ContextState;
}

/** The model that the agent itself talks to, and how full its memory is. */
export interface ContextState {
  model: string;
  held: number;
  /** What was said last. */
  told: number;
  window: number;
}

export function emptyState(): DecoderState {
  return {
    turnOpen: false,
    workspace: undefined,
    lanes: new Map(),
    openTools: new Map(),
    refused: [],
    asked: new Map(),
    taken: [],
    toldModes: [],
    todoCalls: new Map(),
    context: { model: '', held: 0, told: 0, window: 0 },
  };
}

export function saveState(state: DecoderState): string {
  return JSON.stringify({
    ...state,
    lanes: [...state.lanes],
    openTools: [...state.openTools],
    asked: [...state.asked],
    todoCalls: [...state.todoCalls],
  });
}

/** @throws SyntaxError when it is not JSON; fields that are missing or wrong are empty */
export function restoreState(saved: string): DecoderState {
  const state = fields(JSON.parse(saved));
  return {
    turnOpen: state['turnOpen'] === true,
    workspace: optionalText(state['workspace']),
    lanes: new Map(pairs(state['lanes']).map(([id, lane]) => [id, laneOf(fields(lane))])),
    openTools: texts(state['openTools']),
    refused: textList(state['refused']),
    asked: texts(state['asked']),
    taken: textList(state['taken']),
    toldModes: textList(state['toldModes']),
    todoCalls: new Map(pairs(state['todoCalls']).map(([id, call]) => [id, todoCallOf(fields(call))])),
    context: contextOf(fields(state['context'])),
  };
}

function todoCallOf(call: Record<string, unknown>): TodoCall {
  return { name: text(call['name']), input: fields(call['input']) };
}

function contextOf({ model, held, told, window }: Record<string, unknown>): ContextState {
  return { model: text(model), held: Number(held ?? 0), told: Number(told ?? 0), window: Number(window ?? 0) };
}

function laneOf(lane: Record<string, unknown>): Lane {
  return {
    messageId: text(lane['messageId']),
    blocks: list(lane['blocks']).map(block => {
      const kind = block['kind'];
      return {
        index: Number(block['index']),
        kind: kind === 'text' || kind === 'thinking' || kind === 'toolInput' ? kind : 'other',
        itemId: text(block['itemId']),
        length: Number(block['length']),
        done: block['done'] === true,
      };
    }),
  };
}

function texts(value: unknown): Map<string, string> {
  return new Map(pairs(value).map(([key, entry]) => [key, text(entry)]));
}

function pairs(value: unknown): [string, unknown][] {
  return Array.isArray(value) ? value.flatMap(pair => (Array.isArray(pair) ? [[text(pair[0]), pair[1]]] : [])) : [];
}

function textList(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(entry => typeof entry === 'string') : [];
}
