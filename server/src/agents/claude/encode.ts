import { SandpiperError } from '../../../../protocol/errors.ts';
import type { ApprovalDecision } from '../../../../protocol/events.ts';
import type { RunningSettings } from '../agent.ts';
import type { Image } from '../../../../protocol/images.ts';
import { parseAnswerContext, type AnswerContext } from './approval.ts';
import { uuidOfMessage } from './messageUuid.ts';
import { SETTINGS_REQUEST, settingsRequests } from './settings.ts';

/*
 * Lines for Claude Code's stdin. A line that is not JSON ends the process, and each must arrive whole: write it with one
 * write, or by rename.
 */

/**
 * Commands of the CLI that would take the conversation away from its session (a cleared one gets another id, so that
 * resuming finds the old one) or end the process. As `client_composed` they reach the model as plain text.
 */
export const HARMFUL_COMMAND = /^\s*\/(clear|reset|new|resume|continue|exit|quit|login|logout)\b/i;

/** @throws `invalid_params` when the id is not a message id: its UUID is what makes a resend harmless */
export function encodeMessage(message: { messageId: string; text: string; images?: readonly Image[] }): string {
  const uuid = uuidOfMessage(message.messageId);
  if (uuid === undefined) {
    throw new SandpiperError('invalid_params', `"${message.messageId}" is not a message id.`);
  }
  return line({
    type: 'user',
    uuid,
    session_id: '',
    parent_tool_use_id: null,
    message: { role: 'user', content: contentOf(message) },
    ...(HARMFUL_COMMAND.test(message.text) ? { client_composed: true } : {}),
  });
}

function contentOf({ text, images = [] }: { text: string; images?: readonly Image[] }): string | object[] {
  const blocks = images.map(({ mediaType, content }) => ({
    type: 'image',
    source: { type: 'base64', media_type: mediaType, data: content },
  }));
  return blocks.length === 0 ? text : [{ type: 'text', text }, ...blocks];
}

/** @throws `invalid_params` when the decision does not fit the approval */
export function encodeAnswer(answerContext: string, decision: ApprovalDecision): string {
  const context = parseAnswerContext(answerContext);
  return line({
    type: 'control_response',
    response: { subtype: 'success', request_id: context.requestId, response: answer(context, decision) },
  });
}

export function encodeInterrupt(requestId: string): string {
  return line({ type: 'control_request', request_id: requestId, request: { subtype: 'interrupt' } });
}

/** As `Agent.encodeSettings` says. */
export function encodeSettings(from: RunningSettings, to: RunningSettings, requestId: string): string[] | undefined {
  return settingsRequests(from, to)?.map(({ name, request }) =>
    line({ type: 'control_request', request_id: `${SETTINGS_REQUEST}${name}-${requestId}`, request }),
  );
}

function answer(context: AnswerContext, decision: ApprovalDecision): Record<string, unknown> {
  switch (decision.kind) {
    case 'allow':
      return {
        behavior: 'allow',
        updatedInput: context.input,
        ...(decision.always === true && context.always.length > 0 ? { updatedPermissions: context.always } : {}),
      };
    case 'answers':
      if (context.kind !== 'questions') {
        throw new SandpiperError('invalid_params', 'This approval asks for a decision, not for answers.');
      }
      return { behavior: 'allow', updatedInput: { ...context.input, answers: decision.answers } };
    case 'deny':
      // Without a message the CLI calls the answer invalid and the model sees a tool error.
      return { behavior: 'deny', message: decision.message?.trim() || refusal(context.kind) };
  }
}

function refusal(kind: AnswerContext['kind']): string {
  switch (kind) {
    case 'tool':
      return 'The user declined this. Do not try it again in another way; ask what to do instead if you cannot go on.';
    case 'plan':
      return 'The user did not approve the plan. Ask what should be different.';
    case 'questions':
      return 'The user did not answer these questions and wants to talk about them first.';
  }
}

function line(value: Record<string, unknown>): string {
  return `${JSON.stringify(value)}\n`;
}
