import type { ComponentChildren, JSX } from 'preact';
import type { Item } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { Hint } from './hint.tsx';
import { Icon } from './icon.tsx';
import { ModelKeyButton } from './modelKeyButton.tsx';
import { t } from '../../../protocol/text.ts';

type Failure = NonNullable<Extract<Item, { kind: 'turnEnd' }>['failure']>;

/**
 * Why a turn failed or the session cannot go on, and what can be done about it.
 * @param props.children buttons before those that every failure has
 */
export function TurnFailure({ failure, children }: { failure: Failure; children?: ComponentChildren }): JSX.Element {
  const { host } = usePage();
  return (
    <div class="notice error">
      <Icon name="error" class="bad" />
      <div>
        <p>{failure.message}</p>
        {failure.hint === undefined ? null : (
          <p class="hint">
            <Hint text={failure.hint} />
          </p>
        )}
        <div class="actions">
          {children}
          {failure.code.startsWith('model_key') ? <ModelKeyButton /> : null}
          {host.kind === 'vscode' ? <ShowLog /> : null}
        </div>
      </div>
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
