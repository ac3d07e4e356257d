import type { SessionState } from './session.ts';

const MAX_TEXT = 2000;

/** A session in words for the agent of another: what was asked, what it answered last, and how much changed. */
export function sessionDigest({ title, items, stats, pullRequest }: SessionState): string {
  const asked = items.findLast(item => item.kind === 'message')?.text ?? '';
  const answered = items.findLast(item => item.kind === 'text' && item.parentToolId === undefined);
  const answer = answered?.kind === 'text' ? answered.text.text : '';
  return [
    `[Another session, "${title}":`,
    `Asked: ${cut(asked)}`,
    ...(answer === '' ? [] : [`Answered: ${cut(answer)}`]),
    `Changed: ${stats.files} files, +${stats.insertions} -${stats.deletions}.`,
    ...(pullRequest ? [`Pull request: ${pullRequest.url}`] : []),
  ]
    .join('\n')
    .concat(']');
}

function cut(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= MAX_TEXT ? trimmed : `${trimmed.slice(0, MAX_TEXT)} …`;
}
