import type { JSX } from 'preact';
import type { ChangeStats } from '../../../protocol/events.ts';
import { progressText } from '../../../protocol/progressText.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { files } from '../text/format.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';

/** What the session changed, and the three things to do with it: look, take, land. */
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
  return (
    <section class="changes" aria-label="Changes">
      <div class="changesLine">
        <span class="changesStats">
          <Icon name={pending ? 'edit' : 'check'} class={pending ? '' : 'good'} />
          <span>{stats.files === 0 ? 'No file differs from the start' : files(stats)}</span>
          {stats.files === 0 ? null : <Lines stats={stats} />}
          {pending ? <span class="dim">{progressText(session.review)}</span> : null}
          {pending || stats.files === 0 ? null : <span class="dim">accepted</span>}
        </span>
        <span class="actions">
          <button
            type="button"
            class="secondary"
            disabled={action.busy}
            onClick={() => action.run(() => host.request('openChanges', of))}
          >
            Open Changes
          </button>
          {pending && !asks ? (
            <button
              type="button"
              class="primary"
              disabled={action.busy}
              onClick={() => action.run(() => host.request('acceptAll', of))}
            >
              Accept All
            </button>
          ) : null}
          {asks ? null : (
            <button
              type="button"
              class={pending ? 'secondary' : 'primary'}
              disabled={action.busy}
              onClick={() => action.run(() => host.request('createPullRequest', of))}
            >
              {pullRequest ? 'Update Pull Request' : 'Create Pull Request'}
            </button>
          )}
        </span>
      </div>
      {pullRequest ? <PullRequestLine pullRequest={pullRequest} /> : null}
      <Problem error={action.error} />
    </section>
  );
}

function Lines({ stats }: { stats: ChangeStats }): JSX.Element {
  return (
    <>
      <span class="plus">
        <span class="sr">{stats.insertions} lines added</span>
        <span aria-hidden="true">+{stats.insertions}</span>
      </span>
      <span class="minus">
        <span class="sr">{stats.deletions} lines removed</span>
        <span aria-hidden="true">−{stats.deletions}</span>
      </span>
    </>
  );
}

function PullRequestLine({ pullRequest }: { pullRequest: NonNullable<SessionState['pullRequest']> }): JSX.Element {
  const { host } = usePage();
  const { number, url, branch, baseBranch, draft, state } = pullRequest;
  const word = draft && state === 'open' ? 'Draft' : `${state.slice(0, 1).toUpperCase()}${state.slice(1)}`;
  const action = useAction();
  return (
    <div class="pullRequest">
      <Icon name="pullRequest" class={state === 'closed' ? 'bad' : 'good'} />
      <button type="button" class="link" onClick={() => action.run(() => host.request('openExternal', { url }))}>
        Pull Request #{number}
      </button>
      <span class={`chip ${state}`}>{word}</span>
      <span class="dim branches" title={`${branch} into ${baseBranch}`}>
        {branch} → {baseBranch}
      </span>
      <Problem error={action.error} />
    </div>
  );
}
