import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { VisibleText } from '../components/visibleText.tsx';
import type { HunkLine } from '../text/hunkLines.ts';
import { t } from '../../../protocol/text.ts';

const SIGNS = { same: ' ', added: '+', removed: '−', gap: '⋯' } as const;
const WORDS = { same: '', added: 'added: ', removed: 'removed: ', gap: '' } as const;
/** More than that is drawn when it is asked for. */
const SHOWN_AT_FIRST = 500;

/** Lines of a file as a unified diff, wrapped so that nothing of them is out of sight on a phone. */
export function ReviewLines({ lines, label }: { lines: readonly HunkLine[]; label: string }): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? lines : lines.slice(0, SHOWN_AT_FIRST);
  return (
    <>
      <div class="diff wrapped" role="group" aria-label={label}>
        {shown.map((line, index) => (
          <div key={index} class={`line ${line.kind}`}>
            <span class="lineNumber old" aria-hidden="true">
              {line.old}
            </span>
            <span class="lineNumber" aria-hidden="true">
              {line.new}
            </span>
            <span class="sign" aria-hidden="true">
              {SIGNS[line.kind]}
            </span>
            <span class="lineText">
              <span class="sr">{WORDS[line.kind]}</span>
              <VisibleText text={line.text} />
            </span>
          </div>
        ))}
      </div>
      {shown.length < lines.length ? (
        <button type="button" class="link moreLines" onClick={() => setWhole(true)}>
          {t('Show all {0} lines', lines.length)}
        </button>
      ) : null}
    </>
  );
}
