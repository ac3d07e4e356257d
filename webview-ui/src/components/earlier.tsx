import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { seldom } from './lazyParts.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { count, t } from '../../../protocol/text.ts';

interface EarlierProps {
  session: SessionState;
  /** Rows that are here and not drawn. */
  hidden: number;
  /** Items that are only in the log. */
  omitted: number;
  /** Shows more of what is here; called before it is, when it had to be fetched first. */
  onShow: () => void;
}

/** The way to what is not drawn. */
export function Earlier({ session, hidden, omitted, onShow }: EarlierProps): JSX.Element | null {
  const { host, model } = usePage();
  const action = useAction();
  if (hidden === 0 && omitted === 0) {
    return null;
  }
  return (
    <div class="earlier">
      <button
        type="button"
        class="secondary"
        disabled={action.busy}
        onClick={
          hidden > 0
            ? onShow
            : () => action.run(async () => (await seldom()).loadOlderItems(host, model, session, onShow))
        }
      >
        {action.busy ? t('Reading the log…') : t('Show earlier')}
      </button>
      <span class="dim">{count(hidden + omitted, 'earlier entry', 'earlier entries')}</span>
      <Problem error={action.error} />
    </div>
  );
}
