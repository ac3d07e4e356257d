import { SandpiperError } from '../../../protocol/errors.ts';
import { POLICY_PATH, violationText, type PolicySource, type PolicyViolation } from '../../../protocol/policy.ts';
import type { FileChange } from '../../../protocol/callParts.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { blobSizes } from '../git/blobSizes.ts';
import { listChanges } from '../git/diff.ts';
import type { Mirror } from '../git/mirror.ts';
import { ObjectReader } from '../git/objectReader.ts';
import { checkContent, needsContent, tooLargeToCheck } from '../policy/checkContents.ts';
import { checkPolicy, type LandingFile, type Work } from '../policy/checkPolicy.ts';
import type { Policy } from '../policy/policyFile.ts';
import { findSecrets } from '../redaction/findSecrets.ts';
import type { SecretSearch } from '../redaction/secretSearch.ts';
import { countPending, listPending } from '../review/pending.ts';
import { basePolicy } from './basePolicy.ts';

/** Larger files are not searched, and that is told. */
const MAX_SEARCHED_BYTES = 8 * 1024 * 1024;
const MAX_NAMED = 10;
const MAX_KEPT = 200;

export interface Landing {
  mirror: Mirror;
  state: Pick<SessionState, 'accepted' | 'base'>;
  /** The commit that the change is made on, and the one that has it. */
  upstream: string;
  commit: string;
}

/** What the policy of a commit says of a landing. */
export interface PolicyReport {
  /** Absent when the base declares no policy. */
  source?: PolicySource;
  violations: PolicyViolation[];
}

/**
 * What the policy that stands on the base, and never in the work itself, says of it.
 * @param base where the work is to go
 */
export async function policyReport(
  landing: Landing,
  base: { commit: string; branch?: string | undefined },
  secrets: SecretSearch,
): Promise<PolicyReport> {
  const { mirror } = landing;
  const read = await basePolicy(mirror, base.commit);
  if (read.kind === 'none') {
    return { violations: [] };
  }
  const source = {
    path: POLICY_PATH,
    commit: base.commit,
    ...(base.branch === undefined ? {} : { branch: base.branch }),
  };
  if (read.kind === 'broken') {
    return { source, violations: read.violations };
  }
  const { policy } = read;
  const files = await filesOf(landing);
  const work: Work = {
    files: files.map(({ file }) => file),
    reviewed: policy.reviewed === 0 ? { decided: 0, total: 0 } : await reviewedOf(landing),
  };
  return { source, violations: [...checkPolicy(policy, work), ...(await contentsOf(mirror, policy, files, secrets))] };
}

/** @throws `policy_refused` with every rule that is broken, and what to do */
export function refuseByPolicy({ source, violations }: PolicyReport): void {
  const [first] = violations;
  if (!first || !source) {
    return;
  }
  const where = source.branch ?? source.commit.slice(0, 7);
  const named = violations.slice(0, MAX_NAMED).map(one => `- ${violationText(one)}`);
  const more = violations.length > named.length ? [`- and ${violations.length - named.length} more`] : [];
  const broken = first.rule === 'file';
  throw new SandpiperError(
    'policy_refused',
    [
      broken
        ? `The policy of ${where} is broken, so nothing was pushed:`
        : `The policy of ${where} does not let this land, and nothing was pushed:`,
      ...named,
      ...more,
    ].join('\n'),
    {
      hint: broken ? `Mend ${source.path} on the base branch.` : 'See docs/policy.md for the rules.',
      details: { source, violations: violations.slice(0, MAX_KEPT), count: violations.length },
    },
  );
}

interface Blobs {
  file: LandingFile;
  blob: string | undefined;
  oldBlob: string | undefined;
  oldBytes: number;
}

async function filesOf({ mirror, state, upstream, commit }: Landing): Promise<Blobs[]> {
  const [{ files }, untaken] = await Promise.all([
    listChanges(mirror, upstream, commit),
    listChanges(mirror, state.accepted, commit),
  ]);
  const open = new Set(
    untaken.files.flatMap(({ path, oldPath }) => [path, ...(oldPath === undefined ? [] : [oldPath])]),
  );
  const ids = files.flatMap(({ blob, oldBlob }) => [blob, oldBlob]).filter(id => id !== undefined);
  const sizes = await blobSizes(mirror, [...new Set(ids)]);
  return files.map(change => ({
    file: toLandingFile(change, sizes.get(change.blob ?? '') ?? 0, open),
    blob: change.blob,
    oldBlob: change.oldBlob,
    oldBytes: sizes.get(change.oldBlob ?? '') ?? 0,
  }));
}

function toLandingFile(change: FileChange, bytes: number, open: ReadonlySet<string>): LandingFile {
  const { path, oldPath, status, insertions, deletions, sensitive } = change;
  return {
    path,
    ...(oldPath === undefined ? {} : { oldPath }),
    status,
    insertions,
    deletions,
    bytes,
    accepted: !open.has(path) && (oldPath === undefined || !open.has(oldPath)),
    ...(sensitive === undefined ? {} : { sensitive }),
  };
}

async function reviewedOf({ mirror, state, commit }: Landing): Promise<Work['reviewed']> {
  const [all, open] = await Promise.all([
    listPending(mirror, state.base, commit),
    listPending(mirror, state.accepted, commit),
  ]);
  const total = countPending(all).hunks;
  return { total, decided: Math.max(0, total - countPending(open).hunks) };
}

async function contentsOf(
  mirror: Mirror,
  policy: Policy,
  files: readonly Blobs[],
  secrets: SecretSearch,
): Promise<PolicyViolation[]> {
  const wanted = files.filter(({ file, blob }) => blob !== undefined && needsContent(policy, file));
  if (wanted.length === 0) {
    return [];
  }
  const reader = new ObjectReader(mirror, MAX_SEARCHED_BYTES);
  try {
    const violations: PolicyViolation[] = [];
    for (const { file, blob = '', oldBlob, oldBytes } of wanted) {
      if (file.bytes > MAX_SEARCHED_BYTES) {
        violations.push(...tooLargeToCheck(policy, file, file.bytes));
        continue;
      }
      const content = await reader.readAs(blob, 'blob');
      const before =
        oldBlob === undefined || oldBytes > MAX_SEARCHED_BYTES ? Buffer.alloc(0) : await reader.readAs(oldBlob, 'blob');
      const find = (now: Buffer, then: Buffer) => findSecrets(now, then, secrets);
      violations.push(...checkContent(policy, { file, content, before }, find));
    }
    return violations;
  } finally {
    reader.dispose();
  }
}
