import type { FileChange } from '../../../protocol/callParts.ts';
import type { SessionState } from '../../../protocol/session.ts';

const MAX_LISTED_FILES = 50;

/** What was asked and what changed. */
export function pullRequestBody(
  state: SessionState,
  files: readonly FileChange[],
  stats: SessionState['stats'],
  issue: number | undefined,
): string {
  const asked = state.items.flatMap(item => (item.kind === 'message' ? [quote(item.text)] : []));
  const listed = files
    .slice(0, MAX_LISTED_FILES)
    .map(file => `- \`${file.path}\` (${file.status}, +${file.insertions} −${file.deletions})`);
  const more = files.length > listed.length ? [`- and ${files.length - listed.length} more`] : [];
  return [
    '## What was asked',
    ...asked,
    '## What changed',
    `${stats.files} file${stats.files === 1 ? '' : 's'}, +${stats.insertions} −${stats.deletions}`,
    [...listed, ...more].join('\n'),
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
