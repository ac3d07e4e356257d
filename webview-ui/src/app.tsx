import type { JSX } from 'preact';
import type { SessionState } from '../../protocol/session.ts';
import { ActivityLine } from './components/activityLine.tsx';
import { Announcer } from './components/announcer.tsx';
import { Composer } from './components/composer.tsx';
import { ConnectionBanner } from './components/connectionBanner.tsx';
import {
  Approvals,
  ChangesBar,
  FindBar,
  NewSession,
  QuestionDialog,
  SpecCard,
  TodoList,
  TroubleCards,
  UnusedAnswers,
} from './components/lazyParts.tsx';
import { Problem } from './components/problem.tsx';
import { SessionHeader } from './components/sessionHeader.tsx';
import { Transcript } from './components/transcript.tsx';
import { useFind } from './components/useFind.ts';
import { PageContext, usePage, type Page } from './page.ts';
import { openQuestions } from './state/dialogs.ts';
import { t } from '../../protocol/text.ts';

/** The page: one session or the composer of a new one; in a browser also the list and the changes. */
export function App({ page }: { page: Page }): JSX.Element {
  const { kind, views } = page.host;
  return (
    <PageContext.Provider value={page}>
      <div class={`app ${kind}`}>
        {views ? <views.Sessions /> : null}
        <main>
          <h1 class="sr">{t('Sandpiper Chat')}</h1>
          <ConnectionBanner />
          <Content />
        </main>
        {views ? <views.Changes /> : null}
      </div>
      <Announcer />
      {openQuestions.value.length > 0 ? <QuestionDialog /> : null}
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
        <p class="dim">{connected ? t('Loading the session…') : t('Connecting to the relay…')}</p>
      )}
    </div>
  );
}

function OpenSession({ session }: { session: SessionState }): JSX.Element {
  const { outbox } = usePage();
  const find = useFind();
  const hasUnused = outbox.answers.value.some(
    ({ sessionId, state }) => sessionId === session.id && state === 'refused',
  );
  return (
    <>
      <SessionHeader session={session} finding={find.open} onFind={find.toggle} />
      {find.open ? <FindBar session={session} onClose={find.close} /> : null}
      <Transcript session={session} />
      <div class="dock">
        <ActivityLine session={session} />
        {hasOpenTodos(session) ? <TodoList session={session} /> : null}
        {session.spec ? <SpecCard session={session} /> : null}
        {session.approvals.length > 0 ? <Approvals session={session} /> : null}
        {hasUnused ? <UnusedAnswers session={session} /> : null}
        {isTroubled(session) ? <TroubleCards session={session} /> : null}
        {session.stats.files > 0 || session.review.pending > 0 || session.pullRequest ? (
          <ChangesBar session={session} />
        ) : null}
        <Composer session={session} />
      </div>
    </>
  );
}

/** A list of which all is done says nothing any more once the agent rests. */
function hasOpenTodos({ todos = [], phase }: SessionState): boolean {
  return todos.length > 0 && (phase.kind === 'working' || todos.some(({ status }) => status !== 'done'));
}

function isTroubled({ phase, stuck, interrupted, heads }: SessionState): boolean {
  return phase.kind === 'blocked' || stuck !== undefined || interrupted !== undefined || heads !== undefined;
}
