import type { CallResult } from '../../../protocol/calls.ts';
import type { LineRange } from '../../../protocol/feedback.ts';

/* What the editor says of comments, and how they are put together to threads. Pure, no `vscode`. */

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
  const threads = new Map<string, ThreadShape>();
  for (const comment of comments) {
    const { place, now, outdated } = comment;
    if (place.kind !== 'lines' || place.side !== side || place.path !== path) {
      continue;
    }
    const lines = now ?? place.lines;
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
    ...(drafts === 0 ? [] : [drafts === 1 ? 'Draft' : `${drafts} drafts`]),
    ...(resolved ? ['Resolved'] : []),
    ...(outdated ? ['Outdated: these lines are not there any more'] : []),
  ];
  return words.length === 0 ? 'Comment to the agent' : words.join(', ');
}

/** Beside a comment. */
export function commentLabel({ state, label }: Comment): string {
  switch (state) {
    case 'draft':
      return 'Draft';
    case 'submitted':
      return `${label ?? ''} Submitted`.trim();
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
    title: TITLES[answer.outcome],
    text: [answer.text, EVIDENCE[answer.evidence ?? 'unknown']].filter(Boolean).join('\n\n'),
  };
}

const TITLES = {
  addressed: 'Addressed',
  declined: 'Declined',
  outdated: 'Outdated',
  changed: 'Changed, not answered',
  unanswered: 'Not answered',
} as const;

const EVIDENCE = {
  lines: 'These lines changed.',
  file: 'The file changed elsewhere.',
  none: 'Nothing in the file changed.',
  unknown: '',
} as const;

/** What a submission was, for the status bar. */
export function submittedText({
  comments,
  rejections,
  edits,
}: Pick<CallResult<'review.submit'>, 'comments' | 'rejections' | 'edits'>): string {
  const parts = [
    countText(comments, 'comment'),
    countText(rejections, 'rejection'),
    countText(edits, 'edit of yours', 'edits of yours'),
  ].filter(part => part !== undefined);
  return `Review submitted: ${parts.join(', ')}`;
}

function countText(count: number, one: string, many = `${one}s`): string | undefined {
  return count === 0 ? undefined : `${count} ${count === 1 ? one : many}`;
}
