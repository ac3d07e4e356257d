import type { JSX } from 'preact';
import type { Item } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { cost, duration } from '../text/format.ts';
import { Hint } from './hint.tsx';
import { Icon, type IconName } from './icon.tsx';
import { ModelKeyButton } from './modelKeyButton.tsx';
import { TurnMenu } from './lazyParts.tsx';
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
  const { host } = usePage();
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
      {item.failure ? (
        <div class="notice error">
          <Icon name="error" class="bad" />
          <div>
            <p>{item.failure.message}</p>
            {item.failure.hint === undefined ? null : (
              <p class="hint">
                <Hint text={item.failure.hint} />
              </p>
            )}
            <div class="actions">
              {item.failure.code.startsWith('model_key') ? <ModelKeyButton /> : null}
              {host.kind === 'vscode' ? <ShowLog /> : null}
            </div>
          </div>
        </div>
      ) : null}
    </div>
  );
}

function ShowLog(): JSX.Element {
  const { host } = usePage();
  return (
    <button type="button" class="secondary" onClick={() => void host.request('showLog', {}).catch(() => undefined)}>
      {t('Show Log')}
    </button>
  );
}
