import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { checksOf, checkTitle } from '../../../protocol/specChecks.ts';
import {
  itemState,
  nextCheck,
  progressOf,
  progressText,
  type ItemState,
  type SpecWork,
} from '../../../protocol/specWork.ts';
import { Icon, type IconName } from './icon.tsx';
import { VisibleText } from './visibleText.tsx';
import { t, told } from '../../../protocol/text.ts';

const marks = (): Record<ItemState | 'running', { icon: IconName; look: string; word: string }> => ({
  passed: { icon: 'check', look: 'good', word: t('Passes') },
  failed: { icon: 'error', look: 'bad', word: t('Fails') },
  open: { icon: 'circle', look: '', word: t('Open##state') },
  running: { icon: 'arrowRight', look: '', word: t('Running') },
});

/** How far the spec is that is built here: each item with its checks, and the evidence. */
export function SpecCard({ session }: { session: SessionState }): JSX.Element | null {
  const work = session.spec;
  if (!work) {
    return null;
  }
  return (
    <details class="todoCard" aria-label={t('Spec')}>
      <summary>
        <Icon name="chevron" class="twist" />
        <Icon
          name={work.ended?.outcome === 'passed' ? 'checkAll' : 'list'}
          class={work.ended?.outcome === 'passed' ? 'good' : ''}
        />
        <span class="todoCount">{progressText(progressOf(work))}</span>
        <span class="preview">
          <VisibleText text={work.spec.title} />
        </span>
      </summary>
      <ol class="todos specItems">
        {work.document.items.map(({ title }, item) => (
          <li key={item}>
            <Mark state={itemState(work, item)} />
            <div>
              <VisibleText text={title} />
              <Checks work={work} item={item} />
            </div>
          </li>
        ))}
      </ol>
    </details>
  );
}

function Mark({ state }: { state: ItemState | 'running' }): JSX.Element {
  const { icon, look, word } = marks()[state];
  return (
    <>
      <Icon name={icon} class={look} />
      <span class="sr">{word}: </span>
    </>
  );
}

function Checks({ work, item }: { work: SpecWork; item: number }): JSX.Element {
  const running = work.ended ? undefined : nextCheck(work)?.key;
  return (
    <ul class="todos">
      {checksOf(work.document)
        .filter(check => check.item === item)
        .map(({ key, check }) => {
          const result = work.round?.results[key];
          return (
            <li key={key}>
              <Mark state={result?.outcome ?? (key === running ? 'running' : 'open')} />
              <div>
                {check.kind === 'question' ? (
                  <VisibleText text={check.question} />
                ) : (
                  <>
                    <span class="dim">{kindText(check.kind)} </span>
                    <code>
                      <VisibleText text={checkTitle(check)} />
                    </code>
                  </>
                )}{' '}
                {result ? (
                  <span class="dim">
                    <VisibleText text={told(result.detail)} />
                  </span>
                ) : null}
                {result?.output ? <Output text={result.output.text} cut={result.output.blob !== undefined} /> : null}
              </div>
            </li>
          );
        })}
    </ul>
  );
}

const kindText = (kind: 'command' | 'test' | 'file'): string =>
  ({ command: t('command'), test: t('test'), file: t('file') })[kind];

function Output({ text, cut }: { text: string; cut: boolean }): JSX.Element {
  return (
    <details>
      <summary class="dim">{cut ? t('The end of what it printed') : t('What it printed')}</summary>
      <pre>
        <VisibleText text={text} />
      </pre>
    </details>
  );
}
