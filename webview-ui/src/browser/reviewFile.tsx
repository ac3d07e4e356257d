import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Comment } from '../../../protocol/commentText.ts';
import type { PendingFile, ReviewSides } from '../../../protocol/pendingReview.ts';
import { Icon } from '../components/icon.tsx';
import { Problem } from '../components/problem.tsx';
import { useAction } from '../components/useAction.ts';
import { hunkLines, wholeFileLines } from '../text/hunkLines.ts';
import type { ChangesPanel } from './changesPanel.ts';
import { CommentList } from './commentList.tsx';
import { Counts, FileName } from './fileNames.tsx';
import { ReviewLines } from './reviewLines.tsx';
import { commentsOf } from './reviewComments.ts';
import { ReviewHunk } from './reviewHunk.tsx';
import type { Decide } from './reviewPlaces.ts';
import { t } from '../../../protocol/text.ts';

export interface ReviewFileProps {
  panel: ChangesPanel;
  sessionId: string;
  sides: ReviewSides;
  file: PendingFile;
  comments: readonly Comment[];
  conflict: boolean;
  isOpen: boolean;
  busy: boolean;
  onDecide: Decide;
  onResolve: (take: 'ours' | 'theirs') => void;
}

/** A file of a review with everything in it that waits for a decision. */
export function ReviewFile(props: ReviewFileProps): JSX.Element {
  const { file, conflict, isOpen, busy, onDecide, onResolve } = props;
  const { path } = file;
  const [open, setOpen] = useState(isOpen);
  const button = (text: string, act: () => void): JSX.Element => (
    <button type="button" class="secondary" aria-label={`${text} ${path}`} disabled={busy} onClick={act}>
      {text}
    </button>
  );
  return (
    <details class="patch" data-path={path} open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="chevron" class="twist" />
        <FileName file={file} />
        <Counts file={file} />
      </summary>
      {conflict ? (
        <p class="problem note">
          <Icon name="warning" class="attention" />
          <span>{t('You and the agent changed the same lines. Your version is shown.')}</span>
        </p>
      ) : null}
      {file.sensitive === undefined ? null : <p class="note">{file.sensitive}</p>}
      {modeNote(file)}
      <div class="actions fileActions">
        {button(t('Accept File'), () => onDecide('accept', { path }))}
        {button(t('Reject File'), () => onDecide('reject', { path }))}
        {conflict ? button(t('Keep Mine'), () => onResolve('ours')) : null}
        {conflict ? button(t('Take Theirs'), () => onResolve('theirs')) : null}
      </div>
      {open ? <Contents {...props} /> : null}
    </details>
  );
}

function Contents({ panel, sessionId, sides, file, comments, busy, onDecide }: ReviewFileProps): JSX.Element {
  const [, setLoads] = useState(0);
  const loading = useAction();
  const texts = file.binary ? undefined : panel.texts.peek(file);
  const isMissing = !file.binary && texts === undefined;
  useEffect(() => {
    if (isMissing) {
      loading.run(async () => {
        await panel.texts.load(sessionId, sides, file);
        setLoads(count => count + 1);
      });
    }
  }, [isMissing, sides.accepted, sides.proposed]);
  if (file.binary) {
    return <p class="note">{t('Not text.')}</p>;
  }
  if (!texts) {
    return loading.error ? <Problem error={loading.error} /> : <p class="note">{t('Loading…')}</p>;
  }
  const { path, hunks } = file;
  const said = commentsOf(comments, file);
  return (
    <>
      {texts.note === undefined ? null : <p class="note">{texts.note}</p>}
      {hunks.length === 0 && 'before' in texts ? (
        <ReviewLines lines={wholeFileLines(texts.before, texts.after)} label={t('All of {0}', path)} />
      ) : null}
      {hunks.map((hunk, index) => (
        <ReviewHunk
          key={hunk.id}
          panel={panel}
          file={file}
          index={index}
          hunk={hunk}
          lines={'before' in texts ? hunkLines(texts.before, texts.after, hunks, index) : []}
          comments={said.at.get(hunk.id) ?? []}
          busy={busy}
          onDecide={onDecide}
        />
      ))}
      {said.elsewhere.length === 0 ? null : <p class="note">{t('On lines that are not in sight here:')}</p>}
      <CommentList panel={panel} comments={said.elsewhere} />
    </>
  );
}

function modeNote({ status, mode, oldMode }: PendingFile): JSX.Element | null {
  if (status === 'added') {
    return mode === '100755' ? <p class="note">{t('Executable.')}</p> : null;
  }
  if (status === 'deleted' || mode === oldMode) {
    return null;
  }
  return <p class="note">{t('Its mode becomes {0}; it was {1}.', mode, oldMode)}</p>;
}
