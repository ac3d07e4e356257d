import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { summaryText } from '../../../protocol/activity.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import { fitsFilter, isEmptyFilter, type SessionFilter } from '../../../protocol/sessionFilter.ts';
import { groupSessions, type SessionGroup } from '../../../protocol/sessionGroup.ts';
import { Icon } from '../components/icon.tsx';
import { usePage } from '../page.ts';
import { clock } from '../state/clock.ts';
import { age } from '../text/format.ts';
import { AskLine, RowActions, type RowProps } from './rowActions.tsx';
import { SessionSearch } from './sessionSearch.tsx';
import { t, told } from '../../../protocol/text.ts';

/** All sessions, for hosts without a tree beside the page. */
export function SessionList(): JSX.Element {
  const { host, model } = usePage();
  const open = model.sessionId.value;
  // On a phone the list makes way for the session that is open.
  const [wish, setFolded] = useState<boolean | undefined>(undefined);
  const isFolded = wish ?? typeof open === 'string';
  const select = (sessionId: string | null): void => {
    setFolded(sessionId !== null);
    void host.request('selectSession', { sessionId }).catch(() => undefined);
  };
  const waiting = model.summaries.value.filter(session => !session.archived && session.needsYou > 0).length;
  return (
    <nav class={`sessions ${isFolded ? 'folded' : ''}`} aria-label={t('Sessions')}>
      <div class="sessionsHead">
        <button
          type="button"
          class="iconButton foldSessions"
          aria-expanded={!isFolded}
          aria-label={isFolded ? t('Show the list of sessions') : t('Hide the list of sessions')}
          onClick={() => setFolded(!isFolded)}
        >
          <Icon name="list" />
        </button>
        <h2>
          {t('Sessions')} {waiting === 0 ? null : <span class="attention">{t('{0} need you', waiting)}</span>}
        </h2>
        <button type="button" class="secondary" aria-current={open === null} onClick={() => select(null)}>
          <Icon name="plus" /> {t('New')}
        </button>
      </div>
      <SessionSearch>{filter => <Groups filter={filter} onSelect={select} />}</SessionSearch>
    </nav>
  );
}

interface GroupsProps {
  filter: SessionFilter;
  onSelect: (sessionId: string) => void;
}

function Groups({ filter, onSelect }: GroupsProps): JSX.Element {
  const { model } = usePage();
  const isFiltered = !isEmptyFilter(filter);
  const all = model.summaries.value;
  const groups = groupSessions(isFiltered ? all.filter(session => fitsFilter(session, filter)) : all);
  const arrangement = groups.flatMap(({ sessions }) => sessions.map(arrangementOf)).join(' ');
  return (
    <>
      {groups.length > 0 ? null : <p class="dim">{isFiltered ? t('No session fits.') : t('No session yet.')}</p>}
      {groups.map(group => (
        <Group key={group.id} group={group} isFiltered={isFiltered} arrangement={arrangement} onSelect={onSelect} />
      ))}
    </>
  );
}

/** What of a row makes it as tall as it is. */
function arrangementOf({ id, asking = [], tags = [] }: SessionSummary): string {
  return [id, ...asking.map(ask => ask.id), ...tags].join(',');
}

/** What is archived is folded until somebody looks for something. */
function Group({
  group: { id, label, sessions },
  isFiltered,
  arrangement,
  onSelect,
}: Omit<RowProps, 'session'> & { group: SessionGroup; isFiltered: boolean }): JSX.Element {
  return (
    <details class="sessionGroup" data-group={id} open={id !== 'archived' || isFiltered}>
      <summary>
        <Icon name="chevron" class="twist" />
        <h3>
          {told(label)} <span class="dim">{sessions.length}</span>
        </h3>
      </summary>
      <ul>
        {sessions.map(session => (
          <li key={session.id}>
            <Row session={session} arrangement={arrangement} onSelect={onSelect} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function Row({ session, arrangement, onSelect }: RowProps): JSX.Element {
  const { model } = usePage();
  const { id, title, archived, tags = [], asking = [] } = session;
  return (
    <>
      <button type="button" class="sessionRow" aria-current={id === model.sessionId.value} onClick={() => onSelect(id)}>
        <span class="sessionTitle">{title}</span>
        <span class="sessionFacts">
          <Facts session={session} />
        </span>
        {tags.length === 0 ? null : (
          <span class="sessionTags">
            {tags.map(tag => (
              <span key={tag} class="chip">
                {tag}
              </span>
            ))}
          </span>
        )}
      </button>
      <RowActions session={session} />
      {(archived ? [] : asking).map(ask => (
        <AskLine key={ask.id} session={session} ask={ask} arrangement={arrangement} onSelect={onSelect} />
      ))}
    </>
  );
}

function Facts({ session }: { session: SessionSummary }): JSX.Element {
  const { stats, repository } = session;
  return (
    <>
      <span class={`sessionActivity ${session.needsYou > 0 ? 'attention' : ''}`}>
        {summaryText(session, clock.value)} · {repository.name}
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
