import type { AgentSignal } from '../agent.ts';
import type { ContentBlock, StreamEvent } from './streamJson.ts';

/*
 * The message that is being streamed, one for the agent and one for each subagent ("lane"). A finished block comes as a
 * line of its own without its index, so the index is found here: the first unfinished streamed block of the same kind, or
 * the next number when nothing was streamed.
 */

type LiveKind = 'text' | 'thinking' | 'toolInput' | 'other';

interface LiveBlock {
  index: number;
  kind: LiveKind;
  itemId: string;
  /** UTF-16 length of what was streamed. */
  length: number;
  done: boolean;
}

/** JSON. */
export interface Lane {
  messageId: string;
  blocks: LiveBlock[];
}

export type Lanes = Map<string, Lane>;

export function applyStream(lanes: Lanes, laneId: string, event: StreamEvent): AgentSignal[] {
  const lane = lanes.get(laneId);
  switch (event.kind) {
    case 'messageStart':
      // The previous message did not stop: its attempt broke and is made again.
      lanes.set(laneId, { messageId: event.messageId, blocks: [] });
      return lane === undefined ? [] : withdraw(lane, laneId);
    case 'blockStart':
      lane?.blocks.push(liveBlock(lane.messageId, event.index, event.block));
      return [];
    case 'delta': {
      const block = lane?.blocks.find(candidate => candidate.index === event.index && !candidate.done);
      if (block === undefined || block.kind === 'other' || event.text === '') {
        return [];
      }
      const signal = delta(block, block.kind, block.length, event.text, laneId);
      block.length += event.text.length;
      return [signal];
    }
    case 'messageStop':
      // Finished blocks came before. Whatever is open was cut off and will be written anew.
      return lane === undefined || (event.messageId ?? lane.messageId) !== lane.messageId ? [] : withdraw(lane, laneId);
  }
}

/** Marks a block as finished and says which item it was. */
export function finishBlock(lanes: Lanes, laneId: string, messageId: string, block: ContentBlock) {
  const before = lanes.get(laneId);
  const signals = before !== undefined && before.messageId !== messageId ? withdraw(before, laneId) : [];
  const lane = before?.messageId === messageId ? before : { messageId, blocks: [] };
  lanes.set(laneId, lane);
  const kind = kindOf(block);
  const streamed = lane.blocks.find(
    candidate =>
      !candidate.done && candidate.kind === kind && (block.kind !== 'tool' || candidate.itemId === block.toolId),
  );
  if (streamed !== undefined) {
    streamed.done = true;
    return { itemId: streamed.itemId, signals };
  }
  const next = liveBlock(messageId, (lane.blocks.at(-1)?.index ?? -1) + 1, block);
  lane.blocks.push({ ...next, done: true });
  return { itemId: next.itemId, signals };
}

/** Empties what is unfinished in every lane: the turn is over. */
export function withdrawAll(lanes: Lanes): AgentSignal[] {
  return [...lanes].flatMap(([laneId, lane]) => withdraw(lane, laneId));
}

function withdraw(lane: Lane, laneId: string): AgentSignal[] {
  const signals: AgentSignal[] = [];
  for (const block of lane.blocks) {
    if (!block.done && block.length > 0 && block.kind !== 'other') {
      signals.push(delta(block, block.kind, 0, '', laneId));
    }
    block.done = true;
  }
  return signals;
}

function delta(
  block: LiveBlock,
  item: Exclude<LiveKind, 'other'>,
  offset: number,
  text: string,
  laneId: string,
): AgentSignal {
  const parent = laneId === '' ? {} : { parentToolId: laneId };
  return { kind: 'delta', itemId: block.itemId, item, offset, text, ...parent };
}

function liveBlock(messageId: string, index: number, block: ContentBlock): LiveBlock {
  const itemId = block.kind === 'tool' ? block.toolId : `${messageId}:${index}`;
  return { index, kind: kindOf(block), itemId, length: 0, done: false };
}

function kindOf(block: ContentBlock): LiveKind {
  return block.kind === 'tool' ? 'toolInput' : block.kind;
}
