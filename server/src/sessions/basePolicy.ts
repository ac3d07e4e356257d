import { POLICY_PATH, type PolicyViolation } from '../../../protocol/policy.ts';
import { readFileAt } from '../git/diff.ts';
import { listFolder } from '../git/listFolder.ts';
import type { Mirror } from '../git/mirror.ts';
import { MAX_POLICY_BYTES, readPolicy, type ReadPolicy } from '../policy/policyFile.ts';

/** What a commit declares: a policy, none, or one that is broken, which must never count as none. */
export async function basePolicy(mirror: Mirror, commit: string): Promise<ReadPolicy | { kind: 'none' }> {
  const entries = await listFolder(mirror, commit, POLICY_PATH.slice(0, POLICY_PATH.lastIndexOf('/')));
  const found = entries.find(({ path }) => path === POLICY_PATH);
  if (!found) {
    // Somebody meant to have one.
    const other = entries.find(({ path }) => /\/policy(\.[^/]*)?$/i.test(path));
    return other
      ? unusable(other.path, `The policy is read from ${POLICY_PATH}, and this is another name.`)
      : { kind: 'none' };
  }
  if (found.type !== 'blob' || !found.mode.startsWith('100')) {
    return unusable(POLICY_PATH, 'It is no regular file.');
  }
  const { content, tooLarge, bytes } = await readFileAt(mirror, commit, POLICY_PATH, MAX_POLICY_BYTES);
  return tooLarge
    ? unusable(POLICY_PATH, `It has ${bytes} bytes; at most ${MAX_POLICY_BYTES} may be.`)
    : readPolicy(content);
}

function unusable(path: string, message: string): ReadPolicy {
  const violation: PolicyViolation = {
    rule: 'file',
    path,
    message,
    hint: 'Mend it on the base branch; until then nothing lands.',
  };
  return { kind: 'broken', violations: [violation] };
}
