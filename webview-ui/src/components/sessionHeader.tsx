import type { JSX } from 'preact';
import type { Isolation } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

const isolations = (): Record<Isolation, string> => ({
  none: t('No isolation'),
  process: t('Process sandbox'),
  container: t('Container'),
  vm: t('Virtual machine'),
});

interface SessionHeaderProps {
  session: SessionState;
  finding: boolean;
  onFind: () => void;
}

/** What this session is: its title, where it works, how it is kept apart, what it may do. */
export function SessionHeader({ session, finding, onFind }: SessionHeaderProps): JSX.Element {
  const { isolation } = session;
  return (
    <header class="sessionHeader">
      <div class="titleLine">
        <h2 class="title" title={session.title}>
          {session.title}
        </h2>
        <OthersNeedYou sessionId={session.id} />
        <button
          type="button"
          class="iconButton"
          aria-label={t('Find in this session')}
          aria-expanded={finding}
          title={t('Find in this session (Ctrl+F)')}
          onClick={onFind}
        >
          <Icon name="search" />
        </button>
        <FocusButton />
        <ExportButton sessionId={session.id} />
      </div>
      <p class="facts">
        <span title={session.repository.source}>
          <Icon name="folder" />
          {session.repository.name}
        </span>
        {session.repository.branch === undefined ? null : (
          <span title={t('Started from {0}', session.base)}>
            <Icon name="branch" />
            {session.repository.branch}
          </span>
        )}
        <span class={isolation === 'none' ? 'attention' : ''} title={t('Provider: {0}', session.provider)}>
          <Icon name={isolation === 'none' ? 'warning' : 'shield'} />
          {isolations()[isolation]}
        </span>
      </p>
    </header>
  );
}

/** Everything between the words of the agent and of the person in one line each. */
function FocusButton(): JSX.Element {
  const { drafts } = usePage();
  const on = drafts.focus.value;
  return (
    <button
      type="button"
      class="iconButton"
      aria-pressed={on}
      aria-label={t('Focus mode')}
      title={on ? t('Focus mode is on: steps are folded') : t('Focus mode: fold the steps between the answers')}
      onClick={() => drafts.toggleFocus()}
    >
      <Icon name="focus" />
    </button>
  );
}

function ExportButton({ sessionId }: { sessionId: string }): JSX.Element {
  const { host } = usePage();
  const action = useAction();
  return (
    <button
      type="button"
      class="iconButton"
      aria-label={t('Export this session')}
      title={action.error?.message ?? t('Export this session as Markdown or JSON')}
      disabled={action.busy}
      onClick={() => action.run(() => host.request('exportSession', { sessionId }))}
    >
      <Icon name={action.error ? 'warning' : 'download'} />
    </button>
  );
}

function OthersNeedYou({ sessionId }: { sessionId: string }): JSX.Element | null {
  const { host, model } = usePage();
  const action = useAction();
  const others = model.summaries.value.filter(other => other.id !== sessionId && !other.archived && other.needsYou > 0);
  const first = others[0];
  if (!first || host.kind === 'browser') {
    return null;
  }
  return (
    <button
      type="button"
      class="link attention"
      title={first.title}
      onClick={() => action.run(() => host.request('selectSession', { sessionId: first.id }))}
    >
      {others.length === 1 ? t('1 other needs you') : t('{0} others need you', others.length)}
    </button>
  );
}
