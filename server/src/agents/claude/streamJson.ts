import type { PermissionMode } from '../../../../protocol/composing.ts';
import { modeOfName, SETTINGS_REQUEST } from './settings.ts';

/*
 * The lines that Claude Code writes with `--output-format stream-json`, reduced to what the relay needs. The set of types
 * grows with every release, so whatever is not known here is `ignored`; only a line that is not JSON is `malformed`.
 */

export type ContentBlock =
  | { kind: 'text' | 'thinking'; text: string }
  | { kind: 'tool'; toolId: string; name: string; input: Record<string, unknown> }
  | { kind: 'other' };

export interface ToolResult {
  toolId: string;
  text: string;
  isError: boolean;
  /** What the tool says in fields; of its own form for each. */
  details: unknown;
  /** The permission system or the user kept it from running. */
  rejected: 'no' | 'denied' | 'interrupted';
}

export type StreamEvent =
  /** `held` is how many tokens the request to the model held. */
  | { kind: 'messageStart'; messageId: string; model: string; held: number }
  | { kind: 'blockStart'; index: number; block: ContentBlock }
  | { kind: 'delta'; index: number; text: string }
  | { kind: 'messageStop'; messageId: string | undefined };

export interface ToolRequest {
  requestId: string;
  tool: string;
  toolId: string | undefined;
  input: Record<string, unknown>;
  reason: string | undefined;
  suggestions: Record<string, unknown>[];
  /** A rule for the future makes no sense for this request. */
  noRule: boolean;
}

export interface TurnResult {
  subtype: string;
  isError: boolean;
  text: string;
  terminalReason: string | undefined;
  stopReason: string | undefined;
  apiStatus: number | undefined;
  durationMs: number;
  /** What each model can hold, in tokens. */
  windows: Record<string, number>;
}

/** `lane` is the tool call whose subagent wrote the line; empty for the agent itself. */
export type ClaudeLine =
  | { type: 'assistant'; lane: string; messageId: string; synthetic: boolean; failed: boolean; blocks: ContentBlock[] }
  | { type: 'toolResults'; results: ToolResult[] }
  | { type: 'echo'; uuid: string }
  | { type: 'stream'; lane: string; event: StreamEvent }
  | { type: 'init'; cwd: string | undefined; commands: string[] }
  | { type: 'state'; state: string }
  | { type: 'retry'; attempt: number; maxAttempts: number; delayMs: number; status: number | null }
  | { type: 'result'; result: TurnResult }
  | { type: 'ask'; request: ToolRequest }
  | { type: 'foreignRequest'; subtype: string }
  | { type: 'withdrawn'; requestId: string }
  | { type: 'answered'; requestId: string; behavior: string | undefined }
  | { type: 'denied'; toolId: string }
  | { type: 'background'; tasks: number }
  | { type: 'taskStarted'; toolId: string }
  | {
      type: 'taskFinished';
      toolId: string;
      outcome: 'ok' | 'failed' | 'stopped';
      tokens?: number;
      toolUses?: number;
    }
  | { type: 'mode'; mode: PermissionMode }
  /** The agent's answer to a change of its settings. */
  | { type: 'settings'; mode: PermissionMode | undefined; problem: string | undefined }
  | { type: 'notice'; level: 'info' | 'warning' | 'error'; text: string; hint?: string }
  | { type: 'ignored' }
  | { type: 'malformed' };

type Fields = Record<string, unknown>;
const IGNORED: ClaudeLine = { type: 'ignored' };

/** Never throws. */
export function parseLine(line: string): ClaudeLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { type: 'malformed' };
  }
  if (!isFields(value)) {
    return { type: 'malformed' };
  }
  switch (value['type']) {
    case 'stream_event':
      return streamLine(value);
    case 'assistant':
      return assistantLine(value);
    case 'user':
      return userLine(value);
    case 'system':
      return systemLine(value);
    case 'result':
      return { type: 'result', result: turnResult(value) };
    case 'control_request':
      return controlRequest(value);
    case 'control_cancel_request':
      return { type: 'withdrawn', requestId: text(value['request_id']) };
    case 'control_response':
      return controlResponse(fields(value['response']));
    case 'sandpiper_line_too_long':
      return {
        type: 'notice',
        level: 'warning',
        text: `The agent wrote a line of ${Math.round(number(value['bytes']) / 1024 ** 2)} MB, which is too long to be read, and it was skipped.`,
        hint: 'The line is still in the journal. Ask the agent again if something is missing.',
      };
    case 'command_lifecycle':
      // Of several messages that became one turn only the last is echoed.
      return value['state'] === 'completed' ? { type: 'echo', uuid: text(value['command_uuid']) } : IGNORED;
    case 'conversation_reset':
      return { type: 'notice', level: 'warning', text: 'The agent began a new conversation and forgot the old one.' };
    default:
      return IGNORED;
  }
}

function streamLine(line: Fields): ClaudeLine {
  const event = streamEvent(fields(line['event']), line['api_message_id']);
  return event === undefined ? IGNORED : { type: 'stream', lane: text(line['parent_tool_use_id']), event };
}

function streamEvent(event: Fields, messageId: unknown): StreamEvent | undefined {
  const index = number(event['index']);
  switch (event['type']) {
    case 'message_start': {
      const message = fields(event['message']);
      const usage = fields(message['usage']);
      const counts = ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'];
      const held = counts.reduce((sum, name) => sum + wholeNumber(usage[name]), 0);
      return { kind: 'messageStart', messageId: text(message['id']), model: text(message['model']), held };
    }
    case 'content_block_start':
      return { kind: 'blockStart', index, block: contentBlock(fields(event['content_block'])) };
    case 'content_block_delta': {
      const delta = fields(event['delta']);
      const written = delta['text'] ?? delta['thinking'] ?? delta['partial_json'];
      return typeof written === 'string' ? { kind: 'delta', index, text: written } : undefined;
    }
    case 'message_stop':
      return { kind: 'messageStop', messageId: optionalText(messageId) };
    default:
      return undefined;
  }
}

function assistantLine(line: Fields): ClaudeLine {
  const message = fields(line['message']);
  return {
    type: 'assistant',
    lane: text(line['parent_tool_use_id']),
    messageId: text(message['id']),
    synthetic: message['model'] === '<synthetic>',
    failed: line['error'] !== undefined,
    blocks: list(message['content']).map(contentBlock),
  };
}

function contentBlock(block: Fields): ContentBlock {
  switch (block['type']) {
    case 'text':
      return { kind: 'text', text: text(block['text']) };
    case 'thinking':
      return { kind: 'thinking', text: text(block['thinking']) };
    case 'tool_use':
      return { kind: 'tool', toolId: text(block['id']), name: text(block['name']), input: fields(block['input']) };
    default:
      return { kind: 'other' };
  }
}

function userLine(line: Fields): ClaudeLine {
  if (line['isReplay'] === true) {
    return { type: 'echo', uuid: text(line['uuid']) };
  }
  const meta = list(line['tool_result_meta']);
  const interrupted = fields(line['tool_use_result'])['interrupted'] === true;
  const results = list(fields(line['message'])['content'])
    .filter(block => block['type'] === 'tool_result')
    .map(block => {
      const toolId = text(block['tool_use_id']);
      const rejection = rejected(meta.find(entry => entry['id'] === toolId) ?? {});
      return {
        toolId,
        text: plainText(block['content']),
        isError: block['is_error'] === true,
        details: line['tool_use_result'],
        rejected: interrupted ? 'interrupted' : rejection,
      } satisfies ToolResult;
    });
  return results.length === 0 ? IGNORED : { type: 'toolResults', results };
}

function rejected(meta: Fields): ToolResult['rejected'] {
  if (fields(meta['permission_decision'])['decision'] === 'reject') {
    return 'denied';
  }
  return meta['non_execution_kind'] === 'user-rejected' ? 'interrupted' : 'no';
}

/** What the model saw of a tool's result. */
function plainText(content: unknown): string {
  if (typeof content === 'string') {
    return content;
  }
  return list(content)
    .map(part => (part['type'] === 'text' ? text(part['text']) : `[${text(part['type'])}]`))
    .join('\n');
}

function systemLine(line: Fields): ClaudeLine {
  switch (line['subtype']) {
    case 'init':
      return { type: 'init', cwd: optionalText(line['cwd']), commands: names(line['slash_commands']) };
    case 'session_state_changed':
      return { type: 'state', state: text(line['state']) };
    case 'api_retry':
      return {
        type: 'retry',
        attempt: number(line['attempt']),
        maxAttempts: number(line['max_retries']),
        delayMs: number(line['retry_delay_ms']),
        status: typeof line['error_status'] === 'number' ? line['error_status'] : null,
      };
    case 'permission_denied':
      return { type: 'denied', toolId: text(line['tool_use_id']) };
    case 'status': {
      const mode = modeOfName(text(line['permissionMode']));
      return mode === undefined ? IGNORED : { type: 'mode', mode };
    }
    case 'background_tasks_changed':
      return { type: 'background', tasks: list(line['tasks']).length };
    case 'task_started':
      return taskLine(line, toolId => ({ type: 'taskStarted', toolId }));
    case 'task_notification':
      return taskLine(line, toolId => taskFinished(line, toolId));
    case 'compact_boundary':
      return { type: 'notice', level: 'info', text: 'The conversation was summarised to make room.' };
    case 'informational':
      return { type: 'notice', level: 'info', text: text(line['content']) };
    case 'session_writes_lost':
      return {
        type: 'notice',
        level: 'error',
        text: 'The agent could not save its conversation.',
        hint: 'Make room on the disk of the sandbox: after a restart the agent would not remember this part.',
      };
    default:
      return IGNORED;
  }
}

/** A task that no tool call began has no place in the transcript. */
function taskLine(line: Fields, read: (toolId: string) => ClaudeLine): ClaudeLine {
  const toolId = optionalText(line['tool_use_id']);
  return toolId === undefined ? IGNORED : read(toolId);
}

function taskFinished(line: Fields, toolId: string): ClaudeLine {
  const usage = fields(line['usage']);
  const { status } = line;
  return {
    type: 'taskFinished',
    toolId,
    outcome: status === 'completed' ? 'ok' : status === 'failed' ? 'failed' : 'stopped',
    ...(usage['total_tokens'] === undefined ? {} : { tokens: wholeNumber(usage['total_tokens']) }),
    ...(usage['tool_uses'] === undefined ? {} : { toolUses: wholeNumber(usage['tool_uses']) }),
  };
}

function turnResult(line: Fields): TurnResult {
  const errors = Array.isArray(line['errors']) ? line['errors'].filter(error => typeof error === 'string') : [];
  return {
    subtype: text(line['subtype']),
    isError: line['is_error'] === true,
    text: optionalText(line['result']) ?? errors.filter(error => !error.startsWith('[ede_diagnostic]')).join(' '),
    terminalReason: optionalText(line['terminal_reason']),
    stopReason: optionalText(line['stop_reason']),
    apiStatus: typeof line['api_error_status'] === 'number' ? line['api_error_status'] : undefined,
    durationMs: number(line['duration_ms']),
    windows: Object.fromEntries(
      Object.entries(fields(line['modelUsage'])).map(([model, usage]) => [
        model,
        wholeNumber(fields(usage)['contextWindow']),
      ]),
    ),
  };
}

function controlRequest(line: Fields): ClaudeLine {
  const request = fields(line['request']);
  if (request['subtype'] !== 'can_use_tool') {
    return { type: 'foreignRequest', subtype: text(request['subtype']) };
  }
  return {
    type: 'ask',
    request: {
      requestId: text(line['request_id']),
      tool: text(request['tool_name']),
      toolId: optionalText(request['tool_use_id']),
      input: fields(request['input']),
      reason: optionalText(request['decision_reason']),
      suggestions: list(request['permission_suggestions']),
      noRule: request['suppress_always_allow_rule'] === true || request['requires_user_interaction'] === true,
    },
  };
}

/** With replay on, our own answers come back on stdout: the proof that the agent has read them. */
function controlResponse(response: Fields): ClaudeLine {
  const answer = fields(response['response']);
  if (text(response['request_id']).startsWith(SETTINGS_REQUEST)) {
    const refused = response['subtype'] === 'error';
    return {
      type: 'settings',
      mode: modeOfName(text(answer['mode'])),
      problem: refused ? (optionalText(response['error']) ?? 'It did not say why.') : undefined,
    };
  }
  const behavior = optionalText(answer['behavior']);
  return behavior === undefined ? IGNORED : { type: 'answered', requestId: text(response['request_id']), behavior };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object's fields; nothing when it is not an object. */
export function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The texts in a list that a person can type as a name. */
function names(value: unknown): string[] {
  const texts: unknown[] = Array.isArray(value) ? value : [];
  return texts
    .filter((entry): entry is string => typeof entry === 'string' && /^[\w:.-]{1,100}$/.test(entry))
    .slice(0, 500);
}

/** The objects in a list; nothing when it is not a list. */
export function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function wholeNumber(value: unknown): number {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : 0;
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
