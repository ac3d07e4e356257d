import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Icon } from '../components/icon.tsx';
import { VisibleText } from '../components/visibleText.tsx';
import type { ChangesView } from './changesPanel.ts';
import { isNamed } from './namedFile.ts';
import { parseUnifiedDiff, type FilePatch } from './unifiedDiff.ts';
import { t } from '../../../protocol/text.ts';

/** All that a session changed since it began, to be read. */
export function PatchList({ view }: { view: Extract<ChangesView, { scope: 'all' }> }): JSX.Element {
  const patches = useMemo(() => parseUnifiedDiff(view.diff), [view.diff]);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const file = [...(list.current?.querySelectorAll<HTMLElement>('[data-path]') ?? [])].find(element =>
      isNamed(element.dataset['path'] ?? '', view.path),
    );
    file?.scrollIntoView({ block: 'start' });
  }, [view]);
  return (
    <div ref={list}>
      {patches.length === 0 ? <p class="dim">{t('Nothing differs.')}</p> : null}
      {patches.map(patch => (
        <Patch key={patch.path} patch={patch} />
      ))}
      {view.truncated ? <p class="note">{t('The diff is too large to be shown whole.')}</p> : null}
    </div>
  );
}

const kinds: Record<string, string> = { '+': 'added', '-': 'removed', '\\': 'gap' };

function Patch({ patch }: { patch: FilePatch }): JSX.Element {
  return (
    <details class="patch" open data-path={patch.path}>
      <summary>
        <Icon name="chevron" class="twist" />
        <span>
          {patch.oldPath !== undefined && patch.oldPath !== patch.path ? `${patch.oldPath} → ` : ''}
          {patch.path}
        </span>
      </summary>
      {patch.note === undefined ? null : <p class="note">{patch.note}</p>}
      {patch.hunks.map((hunk, index) => (
        <div key={index} class="diff" tabIndex={0} role="group" aria-label={hunk.header}>
          <div class="line gap">
            <span class="lineText">{hunk.header}</span>
          </div>
          {hunk.lines.map((line, lineIndex) => (
            <div key={lineIndex} class={`line ${kinds[line.slice(0, 1)] ?? 'same'}`}>
              <span class="sign">{line.slice(0, 1)}</span>
              <span class="lineText">
                <VisibleText text={line.slice(1)} />
              </span>
            </div>
          ))}
        </div>
      ))}
    </details>
  );
}
