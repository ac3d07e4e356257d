import type { PermissionMode } from '../../../../protocol/composing.ts';
import type { AgentDecoder, AgentSignal } from '../agent.ts';
import { approvalOf } from './approval.ts';
import { contextAtEnd, contextOf } from './contextUse.ts';
import { emptyState, restoreState, saveState, type DecoderState } from './decoderState.ts';
import { applyStream, finishBlock, withdrawAll } from './liveBlocks.ts';
import { HARMFUL_COMMAND } from './encode.ts';
import { messageOfUuid } from './messageUuid.ts';
import { parseLine, type ClaudeLine, type ContentBlock, type ToolResult, type TurnResult } from './streamJson.ts';
import { toolTitle } from './toolTitle.ts';
import { keepsTodos, todoChanges } from './todos.ts';
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
      return [...contextOf(state.context, line), ...applyStream(state.lanes, line.lane, line.event)];
    case 'assistant':
      return line.synthetic
        ? syntheticText(line)
        : line.blocks.flatMap(block => finishedBlock(state, line.lane, line.messageId, block));
    case 'toolResults':
      return line.results.flatMap(result => [toolFinished(state, result), ...todosOf(state, result)]);
    case 'echo':
      return messageTaken(state, line.uuid);
    case 'init':
      state.workspace = line.cwd ?? state.workspace;
      return [...startTurn(state), ...commandsOf(line.commands)];
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
    case 'mode':
      return modeChanged(state, line.mode);
    case 'settings':
      return settingsAnswered(state, line);
    case 'background':
      return [{ kind: 'background', tasks: line.tasks }];
    case 'taskStarted':
      return [{ kind: 'taskStarted', toolId: line.toolId }];
    case 'taskFinished': {
      const { type, ...task } = line;
      return [{ kind: type, ...task }];
    }
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
    if (lane === '' && keepsTodos(name)) {
      state.todoCalls.set(toolId, { name, input });
    }
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

/** A list that a subagent keeps is its own matter. */
function todosOf(state: DecoderState, { toolId, isError, rejected, details }: ToolResult): AgentSignal[] {
  const call = state.todoCalls.get(toolId);
  state.todoCalls.delete(toolId);
  const done = call === undefined || isError || rejected !== 'no' ? undefined : todoChanges(call, details);
  return done === undefined || (done.changes.length === 0 && !done.replaces) ? [] : [{ kind: 'todos', ...done }];
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

/** Without those that would take the conversation away from its session, which reach the model as text (encode.ts). */
function commandsOf(names: readonly string[]): AgentSignal[] {
  const commands = names.filter(name => !HARMFUL_COMMAND.test(`/${name}`) && !name.startsWith('__'));
  return commands.length === 0 ? [] : [{ kind: 'commands', commands }];
}

function modeChanged(state: DecoderState, mode: PermissionMode): AgentSignal[] {
  const told = state.toldModes.indexOf(mode);
  if (told < 0) {
    return [{ kind: 'permissionMode', mode }];
  }
  state.toldModes.splice(0, told + 1);
  return [];
}

function settingsAnswered(
  state: DecoderState,
  { mode, problem }: Extract<ClaudeLine, { type: 'settings' }>,
): AgentSignal[] {
  if (mode !== undefined) {
    state.toldModes.push(mode);
  }
  return problem === undefined
    ? []
    : [
        notice(
          `The agent did not take the new setting: ${problem}`,
          'Choose another one, or stop the turn and try again.',
        ),
      ];
}

function startTurn(state: DecoderState): AgentSignal[] {
  if (state.turnOpen) {
    return [];
  }
  state.turnOpen = true;
  state.toldModes = [];
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
    ...contextAtEnd(state.context, result),
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
  state.todoCalls.clear();
  state.turnOpen = false;
  return [...signals, ...end];
}
