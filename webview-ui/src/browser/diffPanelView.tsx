import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { DiffPanel, DiffView } from './diffPanel.ts';
import { count } from '../text/format.ts';
import { parseUnifiedDiff, type FilePatch } from './unifiedDiff.ts';
import { Icon } from '../components/icon.tsx';
import { useAction } from '../components/useAction.ts';
import { Problem } from '../components/problem.tsx';
import { VisibleText } from '../components/visibleText.tsx';

/** The changes of a session inside the page, for hosts without a diff editor. */
export function DiffPanelView({ panel }: { panel: DiffPanel }): JSX.Element | null {
  const view = panel.view.value;
  return view ? <Opened panel={panel} view={view} /> : null;
}

function Opened({ panel, view }: { panel: DiffPanel; view: DiffView }): JSX.Element {
  const patches = useMemo(() => parseUnifiedDiff(view.diff), [view.diff]);
  const section = useRef<HTMLElement>(null);
  const action = useAction();
  useEffect(() => {
    const { path } = view;
    const file = [...(section.current?.querySelectorAll('[data-path]') ?? [])].find(
      element => path !== undefined && element instanceof HTMLElement && matches(path, element.dataset['path']),
    );
    file?.scrollIntoView({ block: 'start' });
  }, [view]);
  const scope = (next: DiffView['scope'], label: string): JSX.Element => (
    <button
      type="button"
      class="secondary"
      aria-pressed={view.scope === next}
      disabled={action.busy}
      onClick={() => action.run(() => panel.show(view.sessionId, next))}
    >
      {label}
    </button>
  );
  return (
    <section class="diffPanel" ref={section} aria-label="Changes of the session">
      <div class="diffHead">
        <h2>{count(patches.length, 'changed file')}</h2>
        {scope('pending', 'To review')}
        {scope('all', 'All of the session')}
        <button type="button" class="link" aria-label="Close the changes" onClick={() => panel.close()}>
          <Icon name="close" />
        </button>
      </div>
      <Problem error={action.error} />
      {patches.length === 0 ? <p class="dim">Nothing differs.</p> : null}
      {patches.map(patch => (
        <Patch key={patch.path} patch={patch} />
      ))}
      {view.truncated ? <p class="note">The diff is too large to be shown whole.</p> : null}
    </section>
  );
}

function matches(asked: string, path: string | undefined): boolean {
  return path !== undefined && (asked === path || asked.endsWith(`/${path}`));
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
