import type { JSX } from 'preact';
import type { SessionState } from '../../protocol/session.ts';
import { ActivityLine } from './components/activityLine.tsx';
import { Announcer } from './components/announcer.tsx';
import { ApprovalCard } from './components/approvalCard.tsx';
import { BlockedCard } from './components/blockedCard.tsx';
import { ChangesBar } from './components/changesBar.tsx';
import { Composer } from './components/composer.tsx';
import { ConnectionBanner } from './components/connectionBanner.tsx';
import { NewSession } from './components/newSession.tsx';
import { Problem } from './components/problem.tsx';
import { QuestionDialog } from './components/questionDialog.tsx';
import { RecoverCard } from './components/recoverCard.tsx';
import { RestoreCard } from './components/restoreCard.tsx';
import { SessionHeader } from './components/sessionHeader.tsx';
import { UnusedAnswers } from './components/unusedAnswers.tsx';
import { Transcript } from './components/transcript.tsx';
import { PageContext, usePage, type Page } from './page.ts';

/** The page: one session or the composer of a new one; in a browser also the list and the changes. */
export function App({ page }: { page: Page }): JSX.Element {
  const { kind, views } = page.host;
  return (
    <PageContext.Provider value={page}>
      <div class={`app ${kind}`}>
        {views ? <views.Sessions /> : null}
        <main>
          <h1 class="sr">Sandpiper Chat</h1>
          <ConnectionBanner />
          <Content />
        </main>
        {views ? <views.Changes /> : null}
      </div>
      <Announcer />
      <QuestionDialog />
    </PageContext.Provider>
  );
}

function Content(): JSX.Element {
  const { model } = usePage();
  const sessionId = model.sessionId.value;
  const session = model.session.value;
  if (sessionId === null) {
    return <NewSession />;
  }
  if (sessionId !== undefined && session) {
    return <OpenSession key={session.id} session={session} />;
  }
  return <NotHereYet />;
}

/** Between knowing which session and having it. */
function NotHereYet(): JSX.Element {
  const { model } = usePage();
  const problem = model.problem.value;
  const connected = model.connection.value.state === 'connected';
  return (
    <div class="placeholder">
      {problem ? (
        <Problem error={problem} />
      ) : (
        <p class="dim">{connected ? 'Loading the session…' : 'Connecting to the relay…'}</p>
      )}
    </div>
  );
}

function OpenSession({ session }: { session: SessionState }): JSX.Element {
  const { approvals } = session;
  return (
    <>
      <SessionHeader session={session} />
      <Transcript session={session} />
      <div class="dock">
        <ActivityLine session={session} />
        {approvals.length > 0 ? (
          <div class="approvals">
            {approvals.map(approval => (
              <ApprovalCard key={approval.id} sessionId={session.id} approval={approval} />
            ))}
          </div>
        ) : null}
        <UnusedAnswers session={session} />
        <BlockedCard session={session} />
        <RecoverCard session={session} />
        <RestoreCard session={session} />
        <ChangesBar session={session} />
        <Composer session={session} />
      </div>
    </>
  );
}
