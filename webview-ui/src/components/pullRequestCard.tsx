import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { SandpiperError } from '../../../protocol/errors.ts';
import type { PullRequestDeed } from '../../../protocol/landingCalls.ts';
import { needText, pullRequestNeeds, pullRequestWord } from '../../../protocol/pullRequestText.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { t } from '../../../protocol/text.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';

/** The pull request of a session: where it is, what it needs, and what the agent can do about that. */
export function PullRequestCard({ session }: { session: SessionState }): JSX.Element | null {
  const { host } = usePage();
  const action = useAction();
  const { pullRequest } = session;
  const needs = pullRequest ? pullRequestNeeds(pullRequest) : [];
  const problem = useWhile(action.error, [session.phase.kind, ...needs.map(needText)].join());
  if (!pullRequest) {
    return null;
  }
  const { number, url, branch, baseBranch, state, status } = pullRequest;
  const tend = (text: string, deed: PullRequestDeed | 'updateFromBase'): JSX.Element => (
    <button
      type="button"
      class="secondary"
      disabled={action.busy}
      onClick={() => action.run(() => host.request('tendPullRequest', { sessionId: session.id, deed }))}
    >
      {text}
    </button>
  );
  return (
    <div class="pullRequest" role="group" aria-label={t('Pull request')}>
      <Icon name="pullRequest" class={state === 'closed' ? 'bad' : 'good'} />
      <button
        type="button"
        class="link"
        title={t('Open on {0}', hostOf(url))}
        onClick={() => action.run(() => host.request('openExternal', { url }))}
      >
        {t('Pull Request #{0}', number)}
      </button>
      <span class={`chip ${state}`}>{wordOf(pullRequest)}</span>
      {state === 'open' && status ? <Good status={status} /> : null}
      {needs.map(need => (
        <span key={need.kind} class="bad">
          {needText(need)}
        </span>
      ))}
      <span class="dim branches" title={t('{0} into {1}', branch, baseBranch)}>
        {branch} → {baseBranch}
      </span>
      {needs.some(({ kind }) => kind === 'failed') ? tend(t('Fix Checks'), 'fixChecks') : null}
      {needs.some(({ kind }) => kind === 'unanswered' || kind === 'changesRequested')
        ? tend(t('Address Review'), 'addressReview')
        : null}
      {needs.some(({ kind }) => kind === 'conflicts' || kind === 'behind')
        ? tend(t('Update from Base'), 'updateFromBase')
        : null}
      <Problem error={problem} />
    </div>
  );
}

/** What went wrong, as long as things stand as they did then: why it was refused may be over. */
function useWhile(error: SandpiperError | undefined, standing: string): SandpiperError | undefined {
  const then = useRef({ error, standing });
  if (then.current.error !== error) {
    then.current = { error, standing };
  }
  return then.current.standing === standing ? error : undefined;
}

function Good({ status }: { status: NonNullable<NonNullable<SessionState['pullRequest']>['status']> }): JSX.Element {
  const { checks, review } = status;
  return (
    <>
      {checks.state === 'passed' ? <span class="good">{t('checks passed')}</span> : null}
      {checks.state === 'pending' ? <span class="dim">{t('checks running')}</span> : null}
      {review === 'approved' ? <span class="good">{t('approved')}</span> : null}
    </>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function wordOf(pull: NonNullable<SessionState['pullRequest']>): string {
  return { draft: t('Draft'), open: t('Open##state'), closed: t('Closed'), merged: t('Merged') }[pullRequestWord(pull)];
}
