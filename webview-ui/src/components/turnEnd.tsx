import type { JSX } from 'preact';
import type { Item } from '../../../protocol/session.ts';
import { cost, duration } from '../text/format.ts';
import { Icon, type IconName } from './icon.tsx';
import { TurnFailure, TurnMenu } from './lazyParts.tsx';
import { t } from '../../../protocol/text.ts';

type TurnEnd = Extract<Item, { kind: 'turnEnd' }>;

const outcomes = (): Record<TurnEnd['outcome'], { icon: IconName; word: string; tone: string }> => ({
  completed: { icon: 'check', word: t('Completed'), tone: 'good' },
  stopped: { icon: 'stop', word: t('Stopped'), tone: 'muted' },
  failed: { icon: 'error', word: t('Failed'), tone: 'bad' },
});

interface TurnEndProps {
  sessionId: string;
  item: TurnEnd;
  /** The agent does not remember it any more. */
  aside: boolean;
}

/** The line below a turn: how it ended, how long it took, what it cost, whether files changed. */
export function TurnEndLine({ sessionId, item, aside }: TurnEndProps): JSX.Element {
  const outcome = outcomes()[item.outcome];
  const facts = [
    ...(aside ? [t('set aside')] : []),
    duration(item.durationMs),
    ...(item.usage.costUsd > 0 ? [cost(item.usage)] : []),
    item.changed ? t('files changed') : t('no file changed'),
  ];
  return (
    <div class="turnEnd">
      <div class="turnLine">
        <h2 class="turnFacts">
          <Icon name={outcome.icon} class={outcome.tone} />
          <span>
            {outcome.word}
            <span class="dim"> · {facts.join(' · ')}</span>
          </span>
        </h2>
        <TurnMenu sessionId={sessionId} turn={item.turn} />
      </div>
      {item.failure ? <TurnFailure failure={item.failure} /> : null}
    </div>
  );
}
