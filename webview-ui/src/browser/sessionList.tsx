import type { JSX } from 'preact';
import { summaryText } from '../../../protocol/activity.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { clock } from '../state/clock.ts';
import { age } from '../text/format.ts';
import { Icon } from '../components/icon.tsx';

/** All sessions, for hosts without a tree beside the page. */
export function SessionList(): JSX.Element {
  const { host, model } = usePage();
  const open = model.sessionId.value;
  const sessions = model.summaries.value.filter(session => !session.archived);
  const select = (sessionId: string | null): void =>
    void host.request('selectSession', { sessionId }).catch(() => undefined);
  return (
    <nav class="sessions" aria-label="Sessions">
      <div class="sessionsHead">
        <h2>Sessions</h2>
        <button type="button" class="secondary" aria-current={open === null} onClick={() => select(null)}>
          <Icon name="plus" /> New
        </button>
      </div>
      {sessions.length === 0 ? <p class="dim">No session yet.</p> : null}
      <ul>
        {sessions.map(session => (
          <li key={session.id}>
            <button
              type="button"
              class="sessionRow"
              aria-current={session.id === open}
              onClick={() => select(session.id)}
            >
              <span class="sessionTitle">{session.title}</span>
              <span class="sessionFacts">
                <Facts session={session} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Facts({ session }: { session: SessionSummary }): JSX.Element {
  const { stats } = session;
  return (
    <>
      <span class={`sessionActivity ${session.needsYou > 0 ? 'attention' : ''}`}>
        {summaryText(session, clock.value)}
      </span>
      {stats.files > 0 ? (
        <span>
          <span class="plus">+{stats.insertions}</span> <span class="minus">−{stats.deletions}</span>
        </span>
      ) : null}
      <span class="dim">{age(clock.value - session.updatedAt)}</span>
    </>
  );
}
