import type { FailedCheck, ReviewComment } from '../forges/colleague.ts';
import type { Ask } from './requestData.ts';
import { ABOUT_MATERIAL, cutLog, material } from './untrusted.ts';

/* What the agent is told. Pure: the same request gives the same text, so that a repeat of a call is the same call. */

const END =
  'Make the change, with tests where the repository has tests, and check it as far as you can here. Do not commit or push: ' +
  'that is done for you. Where something essential is unclear, choose what is most sensible and say so. End with a short ' +
  'summary of what you changed and why; it is shown to those who asked.';

export function issuePrompt(key: string, repository: string, ask: Extract<Ask, { kind: 'issue' }>, by: string): string {
  const { number, title, body, author, comment } = ask;
  return [
    `Work on issue #${number} of ${repository}.`,
    ABOUT_MATERIAL,
    material(key, `issue #${number} by ${author}`, `${title}\n\n${body}`),
    ...(comment ? [`This was asked for in a comment:`, material(key, `comment by ${by}`, comment.body)] : []),
    END,
  ].join('\n\n');
}

export function commentPrompt(key: string, where: string, comment: string, by: string): string {
  return [
    `Somebody asks for something in a comment on ${where}, which came from this session.`,
    ABOUT_MATERIAL,
    material(key, `comment by ${by}`, comment),
    END,
  ].join('\n\n');
}

/** @param items the comments by their labels */
export function reviewPrompt(
  key: string,
  pull: number,
  review: { body: string; by: string },
  items: readonly { label: string; comment: ReviewComment }[],
): string {
  const texts = items.map(({ label, comment }) => {
    const { path, line, diffHunk, body, by } = comment;
    const place = line === undefined ? `${path} (that line is gone)` : `${path}, line ${line}`;
    return material(key, `${label}, comment by ${by} on ${place}`, `${lastLines(diffHunk)}\n\n${body}`);
  });
  const [first] = items;
  return [
    `Pull request #${pull}, which came from this session, was reviewed.`,
    ABOUT_MATERIAL,
    ...(review.body.trim() === '' ? [] : [material(key, `review by ${review.by}`, review.body)]),
    ...texts,
    'Address it: change what is to be changed, and answer what is asked.',
    END,
    ...(first
      ? [
          `Then write one line for each of ${items.map(({ label }) => label).join(', ')} in a block like this, with ` +
            '`addressed`, `declined` or `outdated` and a sentence for the reviewer:',
          `\`\`\`review\n${first.label}: addressed - what you did\n\`\`\``,
        ]
      : []),
  ].join('\n\n');
}

export function checksPrompt(key: string, pull: number, attempt: string, checks: readonly FailedCheck[]): string {
  return [
    `Checks of pull request #${pull}, which came from this session, fail (${attempt}).`,
    ABOUT_MATERIAL,
    ...checks.map(({ name, summary, log }) =>
      material(key, `check ${name}`, [cutLog(summary, 4000), cutLog(log)].filter(text => text !== '').join('\n\n')),
    ),
    'Find out why and repair it. Repair the cause: do not weaken, skip or remove a check. If the cause is not in this ' +
      'repository, change nothing and say so.',
    END,
  ].join('\n\n');
}

/** The end of a hunk is where the comment stands. */
function lastLines(diffHunk: string): string {
  return diffHunk.split('\n').slice(-12).join('\n');
}
