import type { JSX } from 'preact';
import type { TodoStatus } from '../../../protocol/progress.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { Icon, type IconName } from './icon.tsx';
import { VisibleText } from './visibleText.tsx';
import { t } from '../../../protocol/text.ts';

const marks = (): Record<TodoStatus, { icon: IconName; word: string }> => ({
  pending: { icon: 'circle', word: t('To do') },
  active: { icon: 'arrowRight', word: t('Now') },
  done: { icon: 'check', word: t('Done') },
});

/** What the agent means to do, and how far it is. */
export function TodoList({ session }: { session: SessionState }): JSX.Element {
  const todos = session.todos ?? [];
  const done = todos.filter(({ status }) => status === 'done').length;
  const now = todos.find(({ status }) => status === 'active');
  return (
    <details class="todoCard">
      <summary>
        <Icon name="chevron" class="twist" />
        <Icon name="list" />
        <span class="todoCount">{t('{0} of {1} done', done, todos.length)}</span>
        {now ? (
          <span class="preview">
            <VisibleText text={now.doing ?? now.text} />
          </span>
        ) : null}
      </summary>
      <ol class="todos">
        {todos.map(({ id, text, status }) => (
          <li key={id} class={status}>
            <Icon name={marks()[status].icon} />
            <span class="sr">{marks()[status].word}: </span>
            <VisibleText text={text} />
          </li>
        ))}
      </ol>
    </details>
  );
}
