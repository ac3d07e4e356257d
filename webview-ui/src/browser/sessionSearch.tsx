import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CallResult } from '../../../protocol/calls.ts';
import { toSandpiperError, type SandpiperError } from '../../../protocol/errors.ts';
import { parseFilter, type SessionFilter } from '../../../protocol/sessionFilter.ts';
import { usePage } from '../page.ts';
import { Problem } from '../components/problem.tsx';
import { VisibleText } from '../components/visibleText.tsx';
import { t } from '../../../protocol/text.ts';

type Found = CallResult<'session.search'>;

/** A fast writer asks once. */
const TYPING_MS = 250;

interface SessionSearchProps {
  /** The list, as far as it fits what is typed. */
  children: (filter: SessionFilter) => JSX.Element;
}

/** A field that filters the list while something is typed, and finds words also in what was said in all sessions. */
export function SessionSearch({ children }: SessionSearchProps): JSX.Element {
  const { host } = usePage();
  const [typed, setTyped] = useState('');
  const [found, setFound] = useState<Found | undefined>(undefined);
  const [error, setError] = useState<SandpiperError | undefined>(undefined);
  const filter = parseFilter(typed);
  // A part such as `tag:ui` says nothing about what was said.
  const query = isOnlyWords(filter) ? typed.trim() : '';
  useEffect(() => {
    let gone = false;
    setError(undefined);
    if (query === '') {
      setFound(undefined);
      return undefined;
    }
    const timer = setTimeout(() => {
      host.request('searchSessions', { query }).then(
        answer => {
          if (!gone) {
            setFound(answer);
          }
        },
        (thrown: unknown) => {
          if (!gone) {
            setError(toSandpiperError(thrown));
          }
        },
      );
    }, TYPING_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [query]);
  return (
    <>
      <input
        type="text"
        class="sessionSearch"
        aria-label={t('Search all sessions')}
        placeholder={t('Search, or tag:ui state:ready')}
        spellcheck={false}
        maxLength={500}
        value={typed}
        onInput={event => setTyped(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && !event.isComposing) {
            setTyped('');
          }
        }}
      />
      <Problem error={error} />
      {filter.problems.map(problem => (
        <p key={problem} class="hint">
          {problem}
        </p>
      ))}
      {children(filter)}
      {found ? <Hits found={found} /> : null}
    </>
  );
}

function isOnlyWords({ words, tags, repositories, states, pinned, problems }: SessionFilter): boolean {
  return words.length > 0 && !pinned && tags.length + repositories.length + states.length + problems.length === 0;
}

function Hits({ found: { hits, more } }: { found: Found }): JSX.Element {
  const { host } = usePage();
  const show = (hit: Found['hits'][number]): void => {
    const place = { sessionId: hit.sessionId, ...(hit.itemId === undefined ? {} : { itemId: hit.itemId }) };
    void host.request('showPlace', place).catch(() => undefined);
  };
  return (
    <>
      <h3 class="foundHead">{t('In what was said')}</h3>
      <p class="dim" role="status">
        {hits.length === 0
          ? t('Nothing found.')
          : more
            ? t('{0} and more found.', hits.length)
            : t('{0} found.', hits.length)}
      </p>
      <ul>
        {hits.map(hit => (
          <li key={`${hit.sessionId} ${hit.seq} ${hit.kind}`}>
            <button type="button" class="sessionRow" onClick={() => show(hit)}>
              <span class="sessionTitle">{hit.title}</span>
              <span class="hit">
                <Marked snippet={hit.snippet} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Marked({ snippet: { text, marks } }: { snippet: Found['hits'][number]['snippet'] }): JSX.Element {
  const parts: JSX.Element[] = [];
  let end = 0;
  for (const [from, to] of marks) {
    parts.push(<VisibleText key={`${from}-`} text={text.slice(end, from)} />);
    parts.push(
      <mark key={from}>
        <VisibleText text={text.slice(from, to)} />
      </mark>,
    );
    end = to;
  }
  return (
    <>
      {parts}
      <VisibleText text={text.slice(end)} />
    </>
  );
}
