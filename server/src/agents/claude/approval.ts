import { ruleTextSchema } from '../../../../protocol/permissionRules.ts';
import type { AgentSignal } from '../agent.ts';
import { fields, list, optionalText, text, type ToolRequest } from './streamJson.ts';
import { toolTitle } from './toolTitle.ts';

/** What is stored with an approval to answer it: the whole input must go back, and the rules for "always". */
export interface AnswerContext {
  requestId: string;
  kind: 'tool' | 'plan' | 'questions';
  input: Record<string, unknown>;
  /** Permission updates that "always" grants, already limited to this session. */
  always: Record<string, unknown>[];
}

type ApprovalAsked = Extract<AgentSignal, { kind: 'approvalAsked' }>;

/** The question to the user that a permission request stands for. */
export function approvalOf(request: ToolRequest, workspace: string | undefined): ApprovalAsked {
  const kind = kindOf(request.tool);
  const always = kind === 'tool' && !request.noRule ? grantsOf(request.suggestions) : [];
  const context: AnswerContext = { requestId: request.requestId, kind, input: request.input, always };
  return {
    kind: 'approvalAsked',
    approvalId: request.requestId,
    approval: {
      kind,
      ...(request.toolId === undefined ? {} : { toolId: request.toolId }),
      name: request.tool,
      title: toolTitle(request.tool, request.input, workspace),
      input: JSON.stringify(request.input),
      ...(request.reason === undefined ? {} : { reason: request.reason }),
      ...(kind === 'questions' ? { questions: list(request.input['questions']).map(questionOf) } : {}),
      canAlwaysAllow: always.length > 0,
      ...rulesOf(always),
    },
    answerContext: JSON.stringify(context),
  };
}

/** @throws SyntaxError when the stored text is not JSON */
export function parseAnswerContext(stored: string): AnswerContext {
  const context = fields(JSON.parse(stored));
  const kind = context['kind'];
  return {
    requestId: text(context['requestId']),
    kind: kind === 'plan' || kind === 'questions' ? kind : 'tool',
    input: fields(context['input']),
    always: list(context['always']),
  };
}

function kindOf(tool: string): AnswerContext['kind'] {
  return tool === 'ExitPlanMode' ? 'plan' : tool === 'AskUserQuestion' ? 'questions' : 'tool';
}

/**
 * The narrowest of the suggested grants: rules for this call with the folders they need; for file edits, which come without
 * a rule, the mode that accepts edits. The suggestions say `localSettings`, which would write a file into the repository.
 */
function grantsOf(suggestions: Record<string, unknown>[]): Record<string, unknown>[] {
  const rules = suggestions.filter(update => update['type'] === 'addRules' && update['behavior'] === 'allow');
  const folders = suggestions.filter(update => update['type'] === 'addDirectories');
  const modes = suggestions.filter(update => update['type'] === 'setMode' && update['mode'] === 'acceptEdits');
  return (rules.length > 0 ? [...rules, ...folders] : modes).map(update => ({ ...update, destination: 'session' }));
}

/** The rules in the words in which the agent takes them at its start. */
function rulesOf(always: readonly Record<string, unknown>[]): { rules?: string[] } {
  const rules = always
    .filter(update => update['type'] === 'addRules')
    .flatMap(update => list(update['rules']))
    .map(rule => {
      const content = optionalText(rule['ruleContent']);
      return content === undefined ? text(rule['toolName']) : `${text(rule['toolName'])}(${content})`;
    })
    .filter(rule => ruleTextSchema.safeParse(rule).success);
  return rules.length > 0 ? { rules: rules.slice(0, 20) } : {};
}

function questionOf(question: Record<string, unknown>) {
  const header = optionalText(question['header']);
  return {
    question: text(question['question']),
    ...(header === undefined ? {} : { header }),
    multiSelect: question['multiSelect'] === true,
    options: list(question['options']).map(option => {
      const description = optionalText(option['description']);
      return { label: text(option['label']), ...(description === undefined ? {} : { description }) };
    }),
  };
}
