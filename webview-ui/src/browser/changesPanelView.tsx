import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../components/icon.tsx';
import { Problem } from '../components/problem.tsx';
import { useAction } from '../components/useAction.ts';
import type { ChangesPanel, ChangesView } from './changesPanel.ts';
import { PatchList } from './patchList.tsx';
import { ReviewView } from './reviewView.tsx';
import { parseUnifiedDiff } from './unifiedDiff.ts';
import { count, t } from '../../../protocol/text.ts';

/** The changes of a session beside the chat; on a narrow page in front of it. */
export function ChangesPanelView({ panel }: { panel: ChangesPanel }): JSX.Element | null {
  const view = panel.view.value;
  return view ? <Opened panel={panel} view={view} /> : null;
}

function Opened({ panel, view }: { panel: ChangesPanel; view: ChangesView }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const action = useAction();
  useEffect(() => {
    const opener = document.activeElement;
    heading.current?.focus();
    return () => {
      // A button that is disabled while its answer is awaited has lost the focus by now.
      const isThere = opener instanceof HTMLElement && opener !== document.body && opener.isConnected;
      const back = isThere ? opener : document.querySelector<HTMLElement>('main .changes button');
      back?.focus();
    };
  }, []);
  const scope = (next: ChangesView['scope'], label: string): JSX.Element => (
    <button
      type="button"
      class="secondary"
      aria-pressed={view.scope === next}
      disabled={action.busy}
      onClick={() => action.run(() => panel.show(view.sessionId, next))}
    >
      {label}
    </button>
  );
  return (
    <section
      class="diffPanel"
      aria-label={t('Changes of the session')}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.isComposing) {
          panel.close();
        }
      }}
    >
      <div class="diffHead">
        <h2 ref={heading} tabIndex={-1}>
          {title(view)}
        </h2>
        {scope('pending', t('To review'))}
        {scope('all', t('All of the session'))}
        <button type="button" class="iconButton" aria-label={t('Close the changes')} onClick={() => panel.close()}>
          <Icon name="close" />
        </button>
      </div>
      <Problem error={action.error} />
      {view.scope === 'all' ? <PatchList view={view} /> : <ReviewView panel={panel} view={view} />}
    </section>
  );
}

function title(view: ChangesView): string {
  return view.scope === 'all'
    ? count(parseUnifiedDiff(view.diff).length, 'changed file')
    : t('{0} to review', count(view.pending.files.length, 'file'));
}
