import { type SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { sessionState, type HookContext } from './context.ts';
import type { RequestData } from './requestData.ts';

/* Work that the forge does not take as a branch is not lost to those who asked for it: they get it as a patch. */

/** A comment of GitHub has room for 65,536 characters; the words above the patch take some. */
const MAX_PATCH_BYTES = 50_000;

/** Refusals of the forge. What the relay itself refuses by a policy is nothing to be shown around it. */
const REFUSED_BY_FORGE = new Set(['forge_refused', 'forge_unauthorized']);

/**
 * Whether work that could not be pushed may stand in a comment: not when the forge found a secret in it, and not when the
 * policy of the repository is against it, or could not be asked.
 */
export async function mayBeShown(context: HookContext, sessionId: string, refusal: SandpiperError): Promise<boolean> {
  if (!REFUSED_BY_FORGE.has(refusal.code) || refusal.details?.['holdsSecret'] === true) {
    return false;
  }
  try {
    const { violations } = await context.call('policy.check', { sessionId, from: 'all' });
    return violations.length === 0;
  } catch (error) {
    context.log.log('warn', 'hooks', `There is no patch: ${toSandpiperError(error).message}`);
    return false;
  }
}

/** The part of a comment that has the change, or nothing. */
export async function patchOf(context: HookContext, sessionId: string, data: RequestData): Promise<string> {
  const state = data.asPatch === true ? await sessionState(context, sessionId) : undefined;
  if (!state) {
    return '';
  }
  const { diff, truncated } = await context.call('changes.diff', {
    sessionId,
    from: 'base',
    to: 'proposed',
    maxBytes: MAX_PATCH_BYTES,
  });
  return patchText(diff, { truncated, base: state.base });
}

/** @param diff a unified diff; one that is not whole is not shown, because a part of it does not apply */
export function patchText(diff: string, { truncated, base }: { truncated: boolean; base: string }): string {
  const isWhole = !truncated && !/^Binary files .* differ$/m.test(diff) && !diff.includes('\uFFFD');
  if (!isWhole) {
    const why = truncated ? 'too large for a comment' : 'not all text, so that it cannot stand in a comment';
    return `\n\nThe change is ${why}. It is kept in the session, made on ${base.slice(0, 12)}.`;
  }
  // Longer than any that the diff has, so that nothing in it ends the block.
  const longest = Math.max(2, ...[...diff.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [
    '\n\n<details><summary>The change as a patch</summary>',
    `Save it as \`change.patch\` and run \`git apply change.patch\`. It was made on ${base.slice(0, 12)}.`,
    // Only the last line break: a line that ends the diff may be a single space.
    `${fence}diff\n${diff.replace(/\n$/, '')}\n${fence}`,
    '</details>',
  ].join('\n\n');
}
