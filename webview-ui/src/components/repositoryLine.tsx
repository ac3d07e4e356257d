import type { JSX } from 'preact';
import type { DraftContext } from '../../../protocol/webviewApi.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** Which repository and commit a new session starts from, and the way to choose another. */
export function RepositoryLine({ context }: { context: DraftContext }): JSX.Element | null {
  const { host } = usePage();
  const action = useAction();
  // Also where the folder is no repository: the way out is another one.
  const change = context.canChoose ? (
    <button
      type="button"
      class="link"
      disabled={action.busy}
      onClick={() => action.run(() => host.request('chooseRepository', {}))}
    >
      {context.repository ? t('Change') : t('Choose Another Folder')}
    </button>
  ) : null;
  return (
    <>
      {host.views ? <host.views.Repository /> : null}
      {context.repository ? (
        <p class="repository">
          <Icon name="folder" />
          <strong>{context.repository.repository.name}</strong>
          <Icon name="branch" />
          <span title={context.repository.head}>
            {context.repository.repository.branch ?? t('detached')} · {context.repository.head.slice(0, 8)}
          </span>
          {change}
        </p>
      ) : (
        change && <p class="repository">{change}</p>
      )}
    </>
  );
}
