import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { AnsweredApproval, ToolItem } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { person } from '../text/format.ts';
import { describeToolInput } from '../tools/toolInput.ts';
import { Icon } from './icon.tsx';
import type { ToolCardProps } from './toolCard.tsx';
import { ToolInputView } from './toolInputView.tsx';
import { ToolOutput } from './toolOutput.tsx';
import { count, language, t } from '../../../protocol/text.ts';

/** What a tool was asked, who allowed it, what it did and what came back. */
export function ToolBody({ sessionId, item, steps, stepCount, answered }: ToolCardProps): JSX.Element {
  const input = useMemo(() => describeToolInput(item.name, item.input.text), [item.name, item.input.text]);
  const over = item.state !== 'running' && item.state !== 'waiting' && item.task?.state !== 'running';
  const { model } = usePage();
  return (
    <div class="toolBody">
      <Answer answered={answered} />
      <ToolInputView input={input} whole={false} />
      {steps.length > 0 ? (
        <details class="steps" open={!over || model.revealed.value.has(item.id)}>
          <summary data-hold>
            <Icon name="chevron" class="twist" />
            {t('{0} of the subagent', count(stepCount, 'step'))}
          </summary>
          <ol>{steps}</ol>
        </details>
      ) : null}
      {item.task?.tokens === undefined ? null : <p class="note">{taskText(item.task)}</p>}
      {item.output && !isReceipt(item) ? <ToolOutput sessionId={sessionId} output={item.output} /> : null}
    </div>
  );
}

/** What a subagent used. Its tokens are in the cost of the turn. */
function taskText({ tokens = 0, toolUses }: NonNullable<ToolItem['task']>): string {
  const tools = toolUses === undefined ? '' : `, ${count(toolUses, 'tool call')}`;
  return `${t('{0} tokens', tokens.toLocaleString(language()))}${tools}`;
}

/** Words from the program to the model, that a subagent was begun: what it answered stands among its steps. */
function isReceipt({ task, output }: ToolItem): boolean {
  return task !== undefined && output?.text.startsWith('Async agent launched') === true;
}

function Answer({ answered }: { answered: AnsweredApproval | undefined }): JSX.Element | null {
  if (!answered) {
    return null;
  }
  const { answer } = answered;
  if ('withdrawn' in answer) {
    return <p class="note">{t('The question was withdrawn: {0}', answer.withdrawn)}</p>;
  }
  const { decision } = answer;
  switch (decision.kind) {
    case 'allow':
      return (
        <p class="note">
          {decision.always === true
            ? t('Always allowed in this session by {0}', person(answer.by))
            : t('Allowed once by {0}', person(answer.by))}
        </p>
      );
    case 'deny':
      return (
        <p class="note">
          {decision.message === undefined
            ? t('Denied by {0}', person(answer.by))
            : t('Denied by {0}: {1}', person(answer.by), decision.message)}
        </p>
      );
    case 'answers':
      return (
        <dl class="fields">
          {Object.entries(decision.answers).map(([question, chosen]) => (
            <div key={question}>
              <dt>{question}</dt>
              <dd>{chosen}</dd>
            </div>
          ))}
        </dl>
      );
  }
}
