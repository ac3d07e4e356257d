import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AnsweredApproval, ToolItem } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { bytes } from '../text/format.ts';
import { toolIcon } from '../tools/toolIcon.ts';
import { withoutName } from '../tools/toolTitle.ts';
import { Elapsed } from './elapsed.tsx';
import { Icon, type IconName } from './icon.tsx';
import { ToolBody } from './lazyParts.tsx';
import { VisibleText } from './visibleText.tsx';
import { count, t } from '../../../protocol/text.ts';

const states = (): Record<ToolItem['state'], { icon: IconName; word: string; tone: string }> => ({
  running: { icon: 'circle', word: t('Running'), tone: 'running' },
  waiting: { icon: 'question', word: t('Waiting'), tone: 'attention' },
  ok: { icon: 'check', word: t('Done'), tone: 'good' },
  failed: { icon: 'error', word: t('Failed'), tone: 'bad' },
  denied: { icon: 'denied', word: t('Denied'), tone: 'muted' },
  stopped: { icon: 'stop', word: t('Stopped'), tone: 'muted' },
});

/** Less output than this is not worth a number. */
const SIZE_FROM_BYTES = 1024;

/** Tools whose input says more than their title, and is therefore shown without a click. */
const OPEN_TOOLS = new Set(['Edit', 'MultiEdit', 'Write', 'TodoWrite', 'ExitPlanMode']);

export interface ToolCardProps {
  sessionId: string;
  item: ToolItem;
  /** What a subagent did inside this call, as list items; `stepCount` with those of its own subagents. */
  steps: readonly JSX.Element[];
  stepCount: number;
  answered: AnsweredApproval | undefined;
}

/** One tool call: what it was asked, how it stands, what came back. */
export function ToolCard(props: ToolCardProps): JSX.Element {
  const { item, stepCount } = props;
  const { model } = usePage();
  const now = stateOf(item);
  const over = now !== 'running' && now !== 'waiting';
  const open =
    OPEN_TOOLS.has(item.name) || now === 'failed' || (stepCount > 0 && !over) || model.revealed.value.has(item.id);
  const [opened, setOpened] = useState(false);
  // A closed card costs its one line; once it was opened its body stays, with what was loaded into it.
  const shown = open || opened;
  return (
    <details
      class={`tool ${now}`}
      open={open}
      data-tool={item.id}
      onToggle={event => event.currentTarget.open && setOpened(true)}
    >
      <summary data-hold>
        <Icon name="chevron" class="twist" />
        <Icon name={toolIcon(item.name)} />
        <span class="toolName">{item.name}</span>
        <span class="toolTitle" title={item.title}>
          <VisibleText text={withoutName(item.name, item.title)} />
        </span>
        <Standing item={item} now={now} stepCount={stepCount} />
      </summary>
      {shown ? <ToolBody {...props} /> : null}
    </details>
  );
}

/** A call that is answered while what it began goes on is not done. */
function stateOf({ state, task }: ToolItem): ToolItem['state'] {
  return state === 'ok' ? (task?.state ?? 'ok') : state;
}

/** How far a call is: in steps, in bytes, in time, in a word. */
function Standing({
  item,
  now,
  stepCount,
}: {
  item: ToolItem;
  now: ToolItem['state'];
  stepCount: number;
}): JSX.Element {
  const { icon, word, tone } = states()[now];
  const over = now !== 'running' && now !== 'waiting';
  const until = over ? (item.task?.finishedAt ?? item.finishedAt) : undefined;
  const size = item.output?.blob?.bytes ?? item.output?.text.length ?? 0;
  return (
    <span class={`toolState ${tone}`}>
      {stepCount > 0 ? <span class="dim">{count(stepCount, 'step')}</span> : null}
      {over && size >= SIZE_FROM_BYTES && stepCount === 0 ? <span class="dim">{bytes(size)}</span> : null}
      {over && until === undefined ? null : <Elapsed since={item.at} until={until} />}
      <Icon name={icon} />
      <span class={now === 'ok' || now === 'running' ? 'sr' : 'stateWord'}>{word}</span>
    </span>
  );
}
