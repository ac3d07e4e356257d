import type { AgentDecoder, AgentSignal } from '../agent.ts';
import { approvalOf } from './approval.ts';
import { emptyState, restoreState, saveState, type DecoderState } from './decoderState.ts';
import { applyStream, finishBlock, withdrawAll } from './liveBlocks.ts';
import { messageOfUuid } from './messageUuid.ts';
import { parseLine, type ClaudeLine, type ContentBlock, type ToolResult, type TurnResult } from './streamJson.ts';
import { toolTitle } from './toolTitle.ts';
import { retryMessage, turnOutcome } from './turnFailure.ts';

const REMEMBERED_MESSAGES = 50;
/** What the CLI puts into the conversation when it is resumed in the middle of a turn. */
const RESUME_FILLER = 'No response requested.';

type ControlLine = Extract<ClaudeLine, { type: 'ask' | 'withdrawn' | 'answered' | 'denied' | 'foreignRequest' }>;

/** Turns the lines of Claude Code's stdout into signals. */
export function createClaudeDecoder(saved: string | undefined): AgentDecoder {
  const state = saved === undefined ? emptyState() : restoreState(saved);
  return {
    feed: line => (line.trim() === '' ? [] : apply(state, parseLine(line))),
    save: () => saveState(state),
  };
}

function apply(state: DecoderState, line: ClaudeLine): AgentSignal[] {
  switch (line.type) {
    case 'stream':
      return applyStream(state.lanes, line.lane, line.event);
    case 'assistant':
      return line.synthetic
        ? syntheticText(line)
        : line.blocks.flatMap(block => finishedBlock(state, line.lane, line.messageId, block));
    case 'toolResults':
      return line.results.map(result => toolFinished(state, result));
    case 'echo':
      return messageTaken(state, line.uuid);
    case 'init':
      state.workspace = line.cwd ?? state.workspace;
      return startTurn(state);
    case 'state':
      return stateChanged(state, line.state);
    case 'retry':
      return [
        {
          kind: 'retrying',
          attempt: line.attempt,
          maxAttempts: line.maxAttempts,
          delayMs: line.delayMs,
          status: line.status,
          message: retryMessage(line.status),
        },
      ];
    case 'result':
      return endTurn(state, line.result);
    case 'notice': {
      const { type: _type, ...rest } = line;
      return line.text === '' ? [] : [{ kind: 'notice', ...rest }];
    }
    case 'background':
      return [{ kind: 'background', tasks: line.tasks }];
    case 'malformed':
      return [
        notice(
          'The agent wrote a line that could not be read, and it was skipped.',
          'The line is still in the journal. Ask the agent again if something is missing.',
        ),
      ];
    case 'ignored':
      return [];
    default:
      return applyControl(state, line);
  }
}

function applyControl(state: DecoderState, line: ControlLine): AgentSignal[] {
  switch (line.type) {
    case 'ask':
      state.asked.set(line.request.requestId, line.request.toolId ?? '');
      return [approvalOf(line.request, state.workspace)];
    case 'withdrawn':
      return withdrawn(state, line.requestId, 'The agent no longer needs an answer.');
    case 'answered':
      answered(state, line.requestId, line.behavior);
      return [];
    case 'denied':
      state.refused.push(line.toolId);
      return [];
    case 'foreignRequest':
      return [
        notice(
          `The agent asked something that Sandpiper cannot answer yet (${line.subtype}).`,
          'It may wait for ever.',
        ),
      ];
  }
}

function notice(text: string, hint?: string): AgentSignal {
  return { kind: 'notice', level: 'warning', text, ...(hint === undefined ? {} : { hint }) };
}

/** Output of a slash command is text; a failed model call is told once, by the end of the turn. */
function syntheticText(line: Extract<ClaudeLine, { type: 'assistant' }>): AgentSignal[] {
  return line.blocks.flatMap((block, index): AgentSignal[] =>
    line.failed || block.kind !== 'text' || block.text === '' || block.text === RESUME_FILLER
      ? []
      : [{ kind: 'text', itemId: `${line.messageId}:${index}`, text: block.text }],
  );
}

function finishedBlock(state: DecoderState, lane: string, messageId: string, block: ContentBlock): AgentSignal[] {
  const { itemId, signals } = finishBlock(state.lanes, lane, messageId, block);
  const parent = lane === '' ? {} : { parentToolId: lane };
  if (block.kind === 'tool') {
    const { toolId, name, input } = block;
    const title = toolTitle(name, input, state.workspace);
    state.openTools.set(toolId, lane);
    return [...signals, { kind: 'toolStarted', toolId, name, title, input: JSON.stringify(input), ...parent }];
  }
  if (block.kind === 'other' || block.text === '') {
    return signals;
  }
  return [...signals, { kind: block.kind, itemId, text: block.text, ...parent }];
}

function toolFinished(state: DecoderState, result: ToolResult): AgentSignal {
  const { toolId } = result;
  const refused = state.refused.includes(toolId) || result.rejected === 'denied';
  state.refused = state.refused.filter(other => other !== toolId);
  state.openTools.delete(toolId);
  const failed = result.isError ? 'failed' : 'ok';
  const outcome = refused ? 'denied' : result.rejected === 'interrupted' ? 'stopped' : failed;
  return { kind: 'toolFinished', toolId, outcome, output: result.isError ? withoutTags(result.text) : result.text };
}

/** Claude Code puts its own errors between tags that are meant for the model. */
function withoutTags(text: string): string {
  return /^\s*<tool_use_error>([^]*)<\/tool_use_error>\s*$/.exec(text)?.[1] ?? text;
}

function messageTaken(state: DecoderState, uuid: string): AgentSignal[] {
  const messageId = messageOfUuid(uuid);
  if (messageId === undefined || state.taken.includes(messageId)) {
    return [];
  }
  state.taken = [...state.taken, messageId].slice(-REMEMBERED_MESSAGES);
  return [{ kind: 'messageTaken', messageId }];
}

function answered(state: DecoderState, requestId: string, behavior: string | undefined): void {
  const toolId = state.asked.get(requestId);
  state.asked.delete(requestId);
  if (behavior === 'deny' && toolId !== undefined && toolId !== '') {
    state.refused.push(toolId);
  }
}

function withdrawn(state: DecoderState, approvalId: string, reason: string): AgentSignal[] {
  return state.asked.delete(approvalId) ? [{ kind: 'approvalWithdrawn', approvalId, reason }] : [];
}

function startTurn(state: DecoderState): AgentSignal[] {
  if (state.turnOpen) {
    return [];
  }
  state.turnOpen = true;
  return [{ kind: 'turnStarted' }];
}

function stateChanged(state: DecoderState, agentState: string): AgentSignal[] {
  switch (agentState) {
    case 'running':
      return startTurn(state);
    case 'idle':
      // The result comes first. Without one nothing else would end the turn.
      return state.turnOpen ? closeTurn(state, [{ kind: 'turnEnded', outcome: 'completed', durationMs: 0 }]) : [];
    default:
      return [];
  }
}

function endTurn(state: DecoderState, result: TurnResult): AgentSignal[] {
  const { outcome, failure } = turnOutcome(result);
  if (!state.turnOpen) {
    // The process could not start or resume; its exit ends the segment.
    return failure === undefined
      ? []
      : [
          {
            kind: 'notice',
            level: 'error',
            text: failure.message,
            ...(failure.hint === undefined ? {} : { hint: failure.hint }),
          },
        ];
  }
  return closeTurn(state, [
    { kind: 'turnEnded', outcome, ...(failure === undefined ? {} : { failure }), durationMs: result.durationMs },
  ]);
}

/** Nothing of a turn stays open after it: no unfinished text, no call of the agent itself. */
function closeTurn(state: DecoderState, end: AgentSignal[]): AgentSignal[] {
  const signals = withdrawAll(state.lanes);
  for (const [toolId, parent] of state.openTools) {
    // A call of a subagent may go on in the background.
    if (parent === '') {
      signals.push({ kind: 'toolFinished', toolId, outcome: 'stopped', output: '' });
      state.openTools.delete(toolId);
    }
  }
  state.lanes.clear();
  state.turnOpen = false;
  return [...signals, ...end];
}
