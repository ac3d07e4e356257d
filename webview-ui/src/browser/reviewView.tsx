import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isBehind, nextPlace, type PendingReview } from '../../../protocol/pendingReview.ts';
import { progressText } from '../../../protocol/progressText.ts';
import { Problem } from '../components/problem.tsx';
import { useAction } from '../components/useAction.ts';
import { usePage } from '../page.ts';
import type { ChangesPanel, ChangesView } from './changesPanel.ts';
import { FileNames } from './fileNames.tsx';
import { isNamed } from './namedFile.ts';
import { ReviewFile } from './reviewFile.tsx';
import { placesOf, type Decide, type Place } from './reviewPlaces.ts';
import { SubmitForm } from './submitForm.tsx';
import { t } from '../../../protocol/text.ts';

/** Files that are opened by themselves; the rest waits until somebody looks. */
const OPEN_AT_FIRST = 10;

/** What is pending, hunk by hunk, to be accepted or rejected. */
export function ReviewView({
  panel,
  view,
}: {
  panel: ChangesPanel;
  view: Extract<ChangesView, { scope: 'pending' }>;
}): JSX.Element {
  const { pending, comments, sessionId, path } = view;
  const action = useAction();
  const [said, setSaid] = useState('');
  const [submitting, setSubmitting] = useState(false);
  const section = useRef<HTMLDivElement>(null);
  const goTo = useRef<Place | undefined>(undefined);
  useFollow(panel, view);
  useEffect(() => reveal(section.current, element => isNamed(element.dataset['path'] ?? '', path)), [path]);
  useEffect(() => {
    const { current: place } = goTo;
    if (place && !action.busy) {
      goTo.current = undefined;
      focusPlace(section.current, place);
    }
  });
  const decide: Decide = (verdict, place, reason) =>
    action.run(async () => {
      const before = placesOf(pending.files);
      // A whole file stands where its last change did.
      const from = before.findLast(each => each.path === place.path && (place.hunk ?? each.hunk) === each.hunk);
      try {
        if (await panel.decide(verdict, place, reason)) {
          setSaid(verdict === 'accept' ? t('Accepted') : t('Rejected'));
        }
      } finally {
        const now = panel.view.peek();
        const left = new Set(placesOf(now?.scope === 'pending' ? now.pending.files : []).map(({ key }) => key));
        goTo.current = from && left.has(from.key) ? from : nextPlace(before, from?.key ?? '', left);
      }
    });
  const change = (done: string, work: () => Promise<unknown>): void =>
    action.run(async () => {
      if ((await work()) !== false) {
        setSaid(done);
      }
    });
  return (
    <div class="review" ref={section}>
      <ReviewHead
        pending={pending}
        said={said}
        busy={action.busy}
        onAcceptAll={() => change(t('Accepted'), () => panel.acceptAll(sessionId, pending.proposed))}
        onRejectAll={() => change(t('Rejected'), () => panel.rejectAll())}
        onUndo={() => change(t('Taken back'), () => panel.undo())}
        onSubmit={() => setSubmitting(true)}
      />
      {submitting ? (
        <SubmitForm
          panel={panel}
          comments={comments}
          onDone={done => {
            setSubmitting(false);
            setSaid(done);
          }}
        />
      ) : null}
      <Problem error={action.error} />
      {pending.files.length > 1 ? (
        <FileNames
          files={pending.files}
          onChoose={chosen => reveal(section.current, element => element.dataset['path'] === chosen, true)}
        />
      ) : null}
      {pending.files.map((file, index) => (
        <ReviewFile
          key={file.path}
          panel={panel}
          sessionId={sessionId}
          sides={pending}
          file={file}
          comments={comments}
          conflict={pending.conflicts.some(conflict => conflict.path === file.path)}
          isOpen={index < OPEN_AT_FIRST || isNamed(file.path, path)}
          busy={action.busy}
          onDecide={decide}
          onResolve={take =>
            change(take === 'ours' ? t('Kept') : t('Taken from the agent'), () => panel.resolve(file.path, take))
          }
        />
      ))}
    </div>
  );
}

interface ReviewHeadProps {
  pending: PendingReview;
  /** What was done last. */
  said: string;
  busy: boolean;
  onAcceptAll: () => void;
  onRejectAll: () => void;
  onUndo: () => void;
  onSubmit: () => void;
}

function ReviewHead({ pending, said, busy, onAcceptAll, onRejectAll, onUndo, onSubmit }: ReviewHeadProps): JSX.Element {
  const { model } = usePage();
  const canUndo = model.session.value?.review.decisions.some(({ undo }) => !undo) === true;
  const isDone = pending.review.pending === 0;
  const progress = progressText(pending.review) ?? t('Nothing to review');
  return (
    <div class="reviewHead">
      <p role="status">
        {said === '' ? null : <span class="sr">{said}. </span>}
        {progress}
        {isDone ? `. ${t('Nothing is pending.')}` : ''}
      </p>
      <div class="actions">
        <button type="button" class="primary" disabled={busy || isDone} onClick={onAcceptAll}>
          {t('Accept All')}
        </button>
        <button type="button" class="secondary" disabled={busy || isDone} onClick={onRejectAll}>
          {t('Reject All')}
        </button>
        <button type="button" class="secondary" disabled={busy || !canUndo} onClick={onUndo}>
          {t('Undo')}
        </button>
        <button type="button" class="secondary" disabled={busy} onClick={onSubmit}>
          {t('Submit Review…')}
        </button>
      </div>
    </div>
  );
}

/** Keeps up with what others decide, and with turns that end. */
function useFollow(panel: ChangesPanel, { pending, sessionId }: Extract<ChangesView, { scope: 'pending' }>): void {
  const { model } = usePage();
  const session = model.session.value;
  useEffect(() => {
    if (session?.id === sessionId && isBehind(pending, session)) {
      // What could not be read comes with the next event, or with the next decision.
      panel.refresh().catch(() => undefined);
    }
  }, [session?.accepted, session?.proposed, session?.review.reviewed, session?.review.conflicts.length]);
  const feedback = session?.feedback;
  const shown = useRef(feedback);
  useEffect(() => {
    if (session?.id === sessionId && feedback !== shown.current) {
      panel.refresh().catch(() => undefined);
    }
    shown.current = feedback;
  }, [feedback]);
}

function reveal(section: HTMLElement | null, fits: (element: HTMLElement) => boolean, focus = false): void {
  const file = [...(section?.querySelectorAll<HTMLDetailsElement>('details[data-path]') ?? [])].find(fits);
  if (file) {
    file.open = true;
    file.scrollIntoView({ block: 'start' });
    if (focus) {
      file.querySelector('summary')?.focus();
    }
  }
}

/** To the change itself and not to a button, so that Enter once more decides nothing. */
function focusPlace(section: HTMLElement | null, { key, path }: Place): void {
  const all = [...(section?.querySelectorAll<HTMLElement>('[data-place], details[data-path]') ?? [])];
  const place = all.find(element => element.dataset['place'] === key);
  const file = all.find(element => element.dataset['path'] === path);
  const target = place ?? file?.querySelector('summary');
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: 'nearest' });
}
