import type { FileChange } from '../../../protocol/callParts.ts';
import type { SessionState } from '../../../protocol/session.ts';

const MAX_LISTED_FILES = 50;

/**
 * What was asked, what changed, and who reviewed it.
 * @param review paragraphs
 */
export function pullRequestBody(
  state: SessionState,
  { files, stats }: { files: readonly FileChange[]; stats: SessionState['stats'] },
  review: readonly string[],
  issue: number | undefined,
): string {
  const asked = state.items.flatMap(item =>
    item.kind === 'message' && item.submission === undefined ? [quote(item.text)] : [],
  );
  const listed = files
    .slice(0, MAX_LISTED_FILES)
    .map(file => `- ${codePath(file.path)} (${file.status}, +${file.insertions} −${file.deletions})`);
  const more = files.length > listed.length ? [`- and ${files.length - listed.length} more`] : [];
  return [
    '## What was asked',
    ...asked,
    '## What changed',
    `${stats.files} file${stats.files === 1 ? '' : 's'}, +${stats.insertions} −${stats.deletions}`,
    [...listed, ...more].join('\n'),
    '## Review',
    ...review,
    ...(state.includesUncommitted
      ? ['The work started from uncommitted changes, which are part of this pull request.']
      : []),
    ...(issue === undefined ? [] : [`Closes #${issue}`]),
    `<!-- sandpiper:session=${state.id} -->`,
  ].join('\n\n');
}

/** A message as a quotation; mentions must not notify anybody and no issue may be closed by it. */
function quote(text: string): string {
  const safe = text
    .slice(0, 4000)
    .replace(/<!--/g, '&lt;!--')
    .replace(/@(?=[a-z0-9])/gi, '@\u200B')
    .replace(/#(?=\d)/g, '#\u200B');
  return safe
    .split('\n')
    .map(line => `> ${line}`)
    .join('\n');
}

/** A path as code; one that would end the code early is shown with marks in place of those characters. */
export function codePath(path: string): string {
  return `\`${path.replace(/[`\p{Cc}]/gu, '\uFFFD')}\``;
}
