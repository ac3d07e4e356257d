import type { JSX } from 'preact';
import type { ChangeStats } from '../../../protocol/events.ts';
import { progressText } from '../../../protocol/progressText.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { files } from '../text/format.ts';
import { Icon } from './icon.tsx';
import { PullRequestCard } from './lazyParts.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

/** What the session changed, and what to do with it: look, take, land. */
export function ChangesBar({ session }: { session: SessionState }): JSX.Element | null {
  const { host } = usePage();
  const action = useAction();
  const { stats, pullRequest } = session;
  const pending = session.review.pending > 0;
  // While the agent asks something, the question has the page's attention and its primary button.
  const asks = session.approvals.length > 0;
  const of = { sessionId: session.id };
  if (stats.files === 0 && !pending && !pullRequest) {
    return null;
  }
  const button = (
    text: string,
    method: 'openChanges' | 'acceptAll' | 'applyChanges' | 'createPullRequest',
    look = 'secondary',
  ): JSX.Element => (
    <button
      type="button"
      class={look}
      disabled={action.busy}
      onClick={() => action.run(() => host.request(method, of))}
    >
      {text}
    </button>
  );
  return (
    <section class="changes" aria-label={t('Changes')}>
      <div class="changesLine">
        <span class="changesStats">
          <Icon name={pending ? 'edit' : 'check'} class={pending ? '' : 'good'} />
          <span>{stats.files === 0 ? t('No file differs from the start') : files(stats)}</span>
          {stats.files === 0 ? null : <Lines stats={stats} />}
          {pending ? <span class="dim">{progressText(session.review)}</span> : null}
          {pending || stats.files === 0 ? null : <span class="dim">{t('accepted')}</span>}
        </span>
        <span class="actions">
          {button(t('Open Changes'), 'openChanges')}
          {pending && !asks ? button(t('Accept All'), 'acceptAll', 'primary') : null}
          {asks || host.kind === 'browser' || stats.files === 0 ? null : button(t('Apply'), 'applyChanges')}
          {asks
            ? null
            : button(
                pullRequest ? t('Update Pull Request') : t('Create Pull Request'),
                'createPullRequest',
                pending ? 'secondary' : 'primary',
              )}
        </span>
      </div>
      {pullRequest ? <PullRequestCard session={session} /> : null}
      <Problem error={action.error} />
    </section>
  );
}

function Lines({ stats }: { stats: ChangeStats }): JSX.Element {
  return (
    <>
      <span class="plus">
        <span class="sr">{t('{0} lines added', stats.insertions)}</span>
        <span aria-hidden="true">+{stats.insertions}</span>
      </span>
      <span class="minus">
        <span class="sr">{t('{0} lines removed', stats.deletions)}</span>
        <span aria-hidden="true">−{stats.deletions}</span>
      </span>
    </>
  );
}
