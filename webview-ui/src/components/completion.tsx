import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { usePage } from '../page.ts';
import { matching, pathMention, type Suggestion, type Trigger } from '../state/completion.ts';
import type { Page } from '../page.ts';
import { VisibleText } from './visibleText.tsx';
import { count, t } from '../../../protocol/text.ts';

export interface CompletionProps {
  /** Undefined for a session that does not exist yet. */
  sessionId: string | undefined;
  trigger: Trigger;
  listId: string;
  /** The list takes keys from the field as long as it has something to offer. Returns whether it took this one. */
  keys: { current: ((key: string) => boolean) | undefined };
  onActive: (optionId: string | undefined) => void;
  onChoose: (insert: string) => void;
  onClose: () => void;
}

const LIMIT = 12;

/** What the word before the cursor may become. The focus stays in the field, as a combobox has it. */
export function Completion(props: CompletionProps): JSX.Element | null {
  const { sessionId, trigger, listId, keys, onActive, onChoose, onClose } = props;
  const page = usePage();
  const [found, setFound] = useState<readonly Suggestion[]>([]);
  const [active, setActive] = useState(0);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    let outdated = false;
    void suggest(page, sessionId, trigger).then(suggestions => {
      if (!outdated) {
        setFound(suggestions);
        setActive(0);
        setProblem(undefined);
      }
    });
    return () => {
      outdated = true;
    };
  }, [trigger.sign, trigger.query, sessionId]);
  const optionId = (index: number): string => `${listId}-${index}`;
  const choose = (suggestion: Suggestion | undefined): void => {
    if (suggestion?.insert !== undefined) {
      onChoose(suggestion.insert);
      return;
    }
    suggestion?.load?.().then(onChoose, (thrown: unknown) => {
      setProblem(thrown instanceof Error ? thrown.message : t('It could not be read.'));
    });
  };
  useEffect(() => {
    onActive(found.length > 0 ? optionId(active) : undefined);
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
    return () => onActive(undefined);
  }, [found, active]);
  keys.current =
    found.length === 0
      ? undefined
      : key => {
          switch (key) {
            case 'ArrowDown':
              setActive((active + 1) % found.length);
              return true;
            case 'ArrowUp':
              setActive((active + found.length - 1) % found.length);
              return true;
            case 'Enter':
            case 'Tab':
              choose(found[active]);
              return true;
            case 'Escape':
              onClose();
              return true;
            default:
              return false;
          }
        };
  useEffect(
    () => () => {
      keys.current = undefined;
    },
    [],
  );
  if (found.length === 0) {
    return null;
  }
  return (
    <div class="completion">
      <ul ref={list} id={listId} role="listbox" aria-label={trigger.sign === '/' ? t('Commands') : t('Mentions')}>
        {found.map((suggestion, index) => (
          <li
            key={suggestion.id}
            id={optionId(index)}
            role="option"
            aria-selected={index === active}
            // The field keeps the focus.
            onMouseDown={event => {
              event.preventDefault();
              choose(suggestion);
            }}
          >
            <span class="suggestion">
              <VisibleText text={suggestion.label} />
            </span>
            {suggestion.detail === undefined ? null : (
              <span class="dim">
                <VisibleText text={suggestion.detail} />
              </span>
            )}
          </li>
        ))}
      </ul>
      <span class="sr" role="status">
        {problem ?? count(found.length, 'suggestion')}
      </span>
      {problem === undefined ? null : <p class="problem">{problem}</p>}
    </div>
  );
}

/** Never rejects: what cannot be asked now is left out. */
async function suggest(page: Page, sessionId: string | undefined, trigger: Trigger): Promise<Suggestion[]> {
  if (trigger.sign === '/') {
    const commands = sessionId === undefined ? [] : (page.model.session.peek()?.commands ?? []);
    return matching(
      commands.map(name => ({ id: name, label: `/${name}`, insert: `/${name}` })),
      trigger.query,
      LIMIT,
    );
  }
  const [fromEditor, files] = await Promise.all([
    editorSuggestions(page, trigger.query),
    fileSuggestions(page, sessionId, trigger.query),
  ]);
  const sessions = trigger.query === '' ? [] : matching(sessionSuggestions(page, sessionId), trigger.query, 4);
  return [...fromEditor.slice(0, 4), ...files, ...fromEditor.slice(4), ...sessions].slice(0, LIMIT + 8);
}

async function fileSuggestions({ host }: Page, sessionId: string | undefined, query: string): Promise<Suggestion[]> {
  if (sessionId === undefined) {
    return [];
  }
  const { paths } = await host.request('findPaths', { sessionId, query }).catch(() => ({ paths: [] }));
  return paths.slice(0, LIMIT).map(path => ({
    id: `file:${path}`,
    label: path.slice(path.lastIndexOf('/') + 1),
    detail: path.slice(0, Math.max(0, path.lastIndexOf('/'))),
    insert: pathMention(path),
  }));
}

async function editorSuggestions({ host }: Page, query: string): Promise<Suggestion[]> {
  if (host.kind !== 'vscode') {
    return [];
  }
  const { mentions } = await host.request('editorMentions', { query }).catch(() => ({ mentions: [] }));
  return mentions.map(({ label, detail, insert }, index) => ({
    id: `editor:${index}:${label}`,
    label,
    detail,
    insert,
  }));
}

/** Other sessions, by title. What is inserted says what was asked there and what came of it. */
function sessionSuggestions({ host, model }: Page, sessionId: string | undefined): Suggestion[] {
  return model.summaries
    .peek()
    .filter(({ id }) => id !== sessionId)
    .map(({ id, title, activity }) => ({
      id: `session:${id}`,
      label: `@${title}`,
      detail: t('session · {0}', activity),
      load: async () => (await host.request('describeSession', { sessionId: id })).text,
    }));
}
