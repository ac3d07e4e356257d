import { ERROR_CODES, isErrorCode, type ErrorCode } from '../../../../protocol/errors.ts';
import type { Failure, TurnOutcome } from '../../../../protocol/events.ts';
import type { TurnResult } from './streamJson.ts';

const MAX_DETAIL = 500;

/** What to do about a refusal of the model gateway. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  model_key_missing:
    'Set ANTHROPIC_API_KEY for the relay, or run “Sandpiper: Set Anthropic API Key…” in VS Code; then send the message again.',
  budget_spent: 'Raise it with `sandpiper set <session> --budget <usd>`, then send a message: it goes on where it was.',
  forbidden: 'Choose another model.',
};

/**
 * How a turn ended. An interruption is reported by the CLI as an error with a diagnostic text that is not for people, and
 * a failed model call as `success`; so neither `subtype` nor `is_error` decides alone.
 */
export function turnOutcome(result: TurnResult): { outcome: TurnOutcome; failure?: Failure } {
  if (result.terminalReason?.startsWith('aborted_') === true) {
    return { outcome: 'stopped' };
  }
  if (!result.isError) {
    return { outcome: 'completed' };
  }
  return { outcome: 'failed', failure: failureOf(result) };
}

function failureOf(result: TurnResult): Failure {
  const detail = cut(result.text);
  // The model gateway marks its own refusals with a code, for the CLI hands on no more than the text.
  const marked = /\[([a-z_]+)\] ([^\n]+)/.exec(result.text);
  if (marked?.[1] !== undefined && isErrorCode(marked[1])) {
    const hint = HINTS[marked[1]];
    return failure(marked[1], cut(marked[2] ?? ''), hint === undefined ? {} : { hint });
  }
  switch (result.terminalReason) {
    case 'prompt_too_long':
    case 'blocking_limit':
      return failure('agent_failed', 'The conversation is too long for the model.', {
        hint: 'Send /compact to have it summarised, or start a new session.',
        retryable: false,
      });
    case 'max_turns':
      return failure('agent_failed', 'The agent reached its limit of steps for one turn.', {
        hint: 'Send a message to let it go on.',
      });
    case 'budget_exhausted':
      return failure('budget_spent', 'The agent has spent its budget.', { hint: 'Raise the budget to go on.' });
    default:
      break;
  }
  if (result.stopReason === 'refusal') {
    return failure('agent_failed', 'The model declined to answer for reasons of safety.', {
      hint: 'Put the request in other words, or choose another model.',
      retryable: false,
    });
  }
  if (result.terminalReason === 'api_error') {
    return apiFailure(result.apiStatus, detail);
  }
  if (result.text.includes('No conversation found')) {
    return failure('agent_failed', 'Claude Code does not have this conversation any more.', {
      hint: 'Start a new session.',
      retryable: false,
    });
  }
  return failure('agent_failed', detail === '' ? 'The agent stopped with an error.' : `The agent stopped: ${detail}`, {
    hint: 'Send the message again.',
  });
}

function apiFailure(status: number | undefined, detail: string): Failure {
  const again = { hint: 'Wait a little, then send the message again.' };
  switch (status) {
    case undefined:
      return failure('unavailable', `The model could not be reached: ${detail}`, again);
    case 401:
      return failure('model_key_rejected', 'The model service does not accept the key of the relay (HTTP 401).', {
        hint: 'Give the relay a valid model key, then send the message again.',
      });
    case 403:
      return failure('model_key_rejected', `The model service forbids this to the key of the relay: ${detail}`, {
        hint: 'Check what the model key of the relay may use.',
      });
    case 404:
      return failure('agent_failed', `The model service does not know this model: ${detail}`, {
        hint: 'Choose another model.',
        retryable: false,
      });
    case 429:
      return failure('unavailable', 'The model service is limiting requests (HTTP 429), also after retrying.', again);
    case 529:
      return failure('unavailable', 'The model service is overloaded (HTTP 529), also after retrying.', again);
    default:
      return status >= 500
        ? failure('unavailable', `The model service failed (HTTP ${status}), also after retrying.`, again)
        : failure('agent_failed', `The model service refused the request: ${detail}`, { retryable: false });
  }
}

/** Why a model call is being tried again. */
export function retryMessage(status: number | null): string {
  switch (status) {
    case null:
      return 'The connection to the model broke.';
    case 401:
    case 403:
      return `The model service does not accept the key (HTTP ${status}).`;
    case 429:
      return 'The model service is limiting requests (HTTP 429).';
    case 529:
      return 'The model service is overloaded (HTTP 529).';
    default:
      return `The model service failed (HTTP ${status}).`;
  }
}

function failure(code: ErrorCode, message: string, more: { hint?: string; retryable?: boolean } = {}): Failure {
  return {
    code,
    message,
    ...(more.hint === undefined ? {} : { hint: more.hint }),
    retryable: more.retryable ?? ERROR_CODES[code].retryable,
  };
}

function cut(detail: string): string {
  return detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL - 1)}…` : detail;
}
