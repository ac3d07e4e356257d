import type { FileChange } from '../../../protocol/callParts.ts';
import { originText } from '../../../protocol/origin.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { inert } from '../core/inertText.ts';
import { firstMessage } from '../specs/specMessages.ts';

const MAX_LISTED_FILES = 50;

/**
 * What was asked, what changed, and who reviewed it.
 * @param review paragraphs
 * @param spec paragraphs; empty when no spec was built
 */
export function pullRequestBody(
  state: SessionState,
  { files, stats }: { files: readonly FileChange[]; stats: SessionState['stats'] },
  review: readonly string[],
  spec: readonly string[],
  issue: number | undefined,
): string {
  const asked = state.items.flatMap(item => {
    if (item.kind !== 'message' || item.submission !== undefined) {
      return [];
    }
    if (item.origin) {
      return [`In the ${originText(item.origin)}: ${item.origin.url}`];
    }
    const text = askedBesides(state, item);
    return text === '' ? [] : [quote(text)];
  });
  const listed = files
    .slice(0, MAX_LISTED_FILES)
    .map(file => `- ${codePath(file.path)} (${file.status}, +${file.insertions} −${file.deletions})`);
  const more = files.length > listed.length ? [`- and ${files.length - listed.length} more`] : [];
  return [
    ...(spec.length === 0 ? [] : ['## Spec', ...spec]),
    ...(asked.length === 0 ? [] : ['## What was asked', ...asked]),
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

/** What a message says besides the spec and its checks, which stand for themselves. */
function askedBesides({ spec }: SessionState, { by, text }: { by: string; text: string }): string {
  const built = spec?.kind === 'build' ? firstMessage(spec.document) : undefined;
  return by === 'relay' ? '' : built !== undefined && text.endsWith(built) ? text.slice(0, -built.length).trim() : text;
}

/** A message as a quotation. */
function quote(text: string): string {
  return inert(text.slice(0, 4000))
    .split('\n')
    .map(line => `> ${line}`)
    .join('\n');
}

/** A path as code; one that would end the code early is shown with marks in place of those characters. */
export function codePath(path: string): string {
  return `\`${path.replace(/[`\p{Cc}]/gu, '\uFFFD')}\``;
}
