import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { AnsweredApproval, ToolItem } from '../../../protocol/session.ts';
import { count, person } from '../text/format.ts';
import { toolIcon } from '../tools/toolIcon.ts';
import { describeToolInput, withoutName } from '../tools/toolInput.ts';
import { Elapsed } from './elapsed.tsx';
import { Icon, type IconName } from './icon.tsx';
import { ToolInputView } from './toolInputView.tsx';
import { ToolOutput } from './toolOutput.tsx';
import { VisibleText } from './visibleText.tsx';

const states: Record<ToolItem['state'], { icon: IconName; word: string; tone: string }> = {
  running: { icon: 'circle', word: 'Running', tone: 'running' },
  waiting: { icon: 'question', word: 'Waiting', tone: 'attention' },
  ok: { icon: 'check', word: 'Done', tone: 'good' },
  failed: { icon: 'error', word: 'Failed', tone: 'bad' },
  denied: { icon: 'denied', word: 'Denied', tone: 'muted' },
  stopped: { icon: 'stop', word: 'Stopped', tone: 'muted' },
};

/** Tools whose input says more than their title, and is therefore shown without a click. */
const OPEN_TOOLS = new Set(['Edit', 'MultiEdit', 'Write', 'TodoWrite', 'ExitPlanMode']);

export interface ToolCardProps {
  sessionId: string;
  item: ToolItem;
  /** What a subagent did inside this call, as list items. */
  steps: readonly JSX.Element[];
  answered: AnsweredApproval | undefined;
}

/** One tool call: what it was asked, how it stands, what came back. */
export function ToolCard({ sessionId, item, steps, answered }: ToolCardProps): JSX.Element {
  const input = useMemo(() => describeToolInput(item.name, item.input.text), [item.name, item.input.text]);
  const state = states[item.state];
  const over = item.state !== 'running' && item.state !== 'waiting';
  const open = OPEN_TOOLS.has(item.name) || item.state === 'failed' || (steps.length > 0 && !over);
  return (
    <details class={`tool ${item.state}`} open={open} data-tool={item.id}>
      <summary data-hold>
        <Icon name="chevron" class="twist" />
        <Icon name={toolIcon(item.name)} />
        <span class="toolName">{item.name}</span>
        <span class="toolTitle" title={item.title}>
          <VisibleText text={withoutName(item.name, item.title)} />
        </span>
        <span class={`toolState ${state.tone}`}>
          {over && item.finishedAt === undefined ? null : <Elapsed since={item.at} until={item.finishedAt} />}
          <Icon name={state.icon} />
          <span class={item.state === 'ok' || item.state === 'running' ? 'sr' : 'stateWord'}>{state.word}</span>
        </span>
      </summary>
      <div class="toolBody">
        <Answer answered={answered} />
        <ToolInputView input={input} whole={false} />
        {steps.length > 0 ? (
          <details class="steps" open={!over}>
            <summary data-hold>
              <Icon name="chevron" class="twist" />
              {count(steps.length, 'step')} of the subagent
            </summary>
            <ol>{steps}</ol>
          </details>
        ) : null}
        {item.output ? <ToolOutput sessionId={sessionId} output={item.output} /> : null}
      </div>
    </details>
  );
}

function Answer({ answered }: { answered: AnsweredApproval | undefined }): JSX.Element | null {
  if (!answered) {
    return null;
  }
  const { answer } = answered;
  if ('withdrawn' in answer) {
    return <p class="note">The question was withdrawn: {answer.withdrawn}</p>;
  }
  const { decision } = answer;
  switch (decision.kind) {
    case 'allow':
      return (
        <p class="note">
          {decision.always === true ? 'Always allowed in this session' : 'Allowed once'} by {person(answer.by)}
        </p>
      );
    case 'deny':
      return (
        <p class="note">
          Denied by {person(answer.by)}
          {decision.message === undefined ? '' : `: ${decision.message}`}
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
