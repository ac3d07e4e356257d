import type { CallResult } from './calls.ts';
import type { LineRange } from './feedback.ts';
import { count, t } from './text.ts';

/* What is said of comments to the agent, and how they are put together to threads. */

export type Comment = CallResult<'review.comments'>['comments'][number];

/** Comments on the same lines of a document. */
export interface ThreadShape {
  key: string;
  lines: LineRange;
  comments: Comment[];
  outdated: boolean;
  resolved: boolean;
}

/** The threads of one side of a file. A comment whose lines are gone stays where they were. */
export function threadsOf(comments: readonly Comment[], side: string, path: string): ThreadShape[] {
  return shapesOf(comments, ({ place, now }) =>
    place.kind === 'lines' && place.side === side && place.path === path ? (now ?? place.lines) : undefined,
  );
}

/** The threads of a plan. One that is on the whole of it stands at its first line. */
export function planThreadsOf(comments: readonly Comment[], approvalId: string): ThreadShape[] {
  return shapesOf(comments, ({ place }) =>
    place.kind === 'plan' && place.approvalId === approvalId ? (place.lines ?? { start: 0, count: 1 }) : undefined,
  );
}

function shapesOf(comments: readonly Comment[], linesOf: (comment: Comment) => LineRange | undefined): ThreadShape[] {
  const threads = new Map<string, ThreadShape>();
  for (const comment of comments) {
    const { outdated } = comment;
    const lines = linesOf(comment);
    if (!lines) {
      continue;
    }
    const key = `${lines.start}+${lines.count}${outdated ? ' outdated' : ''}`;
    const thread = threads.get(key) ?? { key, lines, comments: [], outdated, resolved: true };
    thread.comments.push(comment);
    thread.resolved &&= comment.resolved;
    threads.set(key, thread);
  }
  return [...threads.values()];
}

/** Over the thread. */
export function threadLabel({ comments, outdated, resolved }: ThreadShape): string {
  const drafts = comments.filter(({ state }) => state === 'draft').length;
  const words = [
    ...(drafts === 0 ? [] : [drafts === 1 ? t('Draft') : t('{0} drafts', drafts)]),
    ...(resolved ? [t('Resolved')] : []),
    ...(outdated ? [t('Outdated: these lines are not there any more')] : []),
  ];
  return words.length === 0 ? t('Comment to the agent') : words.join(', ');
}

/** Beside a comment. */
export function commentLabel({ state, label }: Comment): string {
  switch (state) {
    case 'draft':
      return t('Draft');
    case 'submitted':
      return `${label ?? ''} ${t('Submitted')}`.trim();
    default:
      return label ?? '';
  }
}

/** The agent's answer as Markdown would show it; undefined while there is none. `text` is the agent's own and plain. */
export function answerOf({ answer }: Comment): { title: string; text: string } | undefined {
  if (!answer) {
    return undefined;
  }
  return {
    title: titles()[answer.outcome],
    text: [answer.text, evidences()[answer.evidence ?? 'unknown']].filter(Boolean).join('\n\n'),
  };
}

const titles = () => ({
  addressed: t('Addressed'),
  declined: t('Declined'),
  outdated: t('Outdated'),
  changed: t('Changed, not answered'),
  unanswered: t('Not answered'),
});

const evidences = () => ({
  lines: t('These lines changed.'),
  file: t('The file changed elsewhere.'),
  none: t('Nothing in the file changed.'),
  unknown: '',
});

/** What a submission was, for the status bar. */
export function submittedText({
  comments,
  rejections,
  edits,
}: Pick<CallResult<'review.submit'>, 'comments' | 'rejections' | 'edits'>): string {
  const parts = [
    ...(comments === 0 ? [] : [count(comments, 'comment')]),
    ...(rejections === 0 ? [] : [count(rejections, 'rejection')]),
    ...(edits === 0 ? [] : [count(edits, 'edit of yours', 'edits of yours')]),
  ];
  return t('Review submitted: {0}', parts.join(', '));
}
