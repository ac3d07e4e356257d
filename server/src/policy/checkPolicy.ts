import type { FileChange } from '../../../protocol/callParts.ts';
import type { PolicyRule, PolicyViolation } from '../../../protocol/policy.ts';
import type { Glob } from './glob.ts';
import type { Policy } from './policyFile.ts';

/** One changed file of what is to land. */
export interface LandingFile extends Pick<
  FileChange,
  'path' | 'oldPath' | 'status' | 'insertions' | 'deletions' | 'sensitive'
> {
  /** Of the new content; 0 when it is gone. */
  bytes: number;
  /** A person took it as it is. */
  accepted: boolean;
}

export interface Work {
  files: readonly LandingFile[];
  /** Changes that a person decided on, of all. */
  reviewed: { decided: number; total: number };
}

/** Pure. Every rule that what is to land breaks, but for those about what stands in the files. */
export function checkPolicy(policy: Policy, work: Work): PolicyViolation[] {
  return [
    ...work.files.flatMap(file => checkFile(policy, file)),
    ...checkLimits(policy.limits, work.files),
    ...checkReview(policy.reviewed, work.reviewed),
  ];
}

function checkFile(policy: Policy, file: LandingFile): PolicyViolation[] {
  const { path, oldPath } = file;
  const violations: PolicyViolation[] = [];
  const say = (rule: PolicyRule, at: string, message: string, hint: string) =>
    violations.push({ rule, path: at, message, hint });
  const paths = oldPath === undefined ? [path] : [oldPath, path];
  for (const one of paths) {
    const denied = firstOf(policy.deny, one);
    if (denied) {
      say('paths.deny', one, `Nothing may change here ("${denied.pattern}").`, 'Reject the change of this file.');
    }
    if (policy.allow && !firstOf(policy.allow, one)) {
      say('paths.allow', one, 'It is outside of the paths that may change.', 'Reject the change of this file.');
    }
  }
  const before = file.status === 'added' ? undefined : (oldPath ?? path);
  const kept = before === undefined ? undefined : firstOf(policy.protected, before);
  if (kept && before !== undefined) {
    const what = file.status === 'deleted' ? 'deleted' : file.status === 'renamed' ? 'renamed' : 'changed';
    say(
      'protected',
      before,
      `It is protected ("${kept.pattern}") and was ${what}.`,
      'Reject the change; add a new file.',
    );
  }
  if (policy.sensitive && !file.accepted) {
    const listed = paths.map(one => firstOf(policy.sensitive ?? [], one)).find(found => found);
    const why = listed ? `the policy lists it ("${listed.pattern}")` : lowered(file.sensitive);
    if (why !== undefined) {
      say('sensitive', path, `It is sensitive, and nobody accepted it: ${why}.`, 'Accept or reject it in the review.');
    }
  }
  const { fileBytes } = policy.limits;
  if (fileBytes !== undefined && file.bytes > fileBytes) {
    say(
      'limits.fileBytes',
      path,
      `It has ${file.bytes} bytes; at most ${fileBytes} may be.`,
      'Make it smaller or reject it.',
    );
  }
  return violations;
}

function checkLimits(limits: Policy['limits'], files: readonly LandingFile[]): PolicyViolation[] {
  const counts = [
    ['limits.files', limits.files, files.length, 'files are changed'],
    [
      'limits.lines',
      limits.lines,
      sum(files.map(({ insertions, deletions }) => insertions + deletions)),
      'lines are added or removed',
    ],
    ['limits.bytes', limits.bytes, sum(files.map(({ bytes }) => bytes)), 'bytes are in the changed files'],
  ] as const;
  return counts.flatMap(([rule, most, count, what]) =>
    most === undefined || count <= most
      ? []
      : [
          {
            rule,
            message: `${count} ${what}; at most ${most} may be.`,
            hint: 'Reject what can wait, or land it in parts.',
          },
        ],
  );
}

function checkReview(fraction: number, { decided, total }: Work['reviewed']): PolicyViolation[] {
  return total === 0 || decided / total >= fraction
    ? []
    : [
        {
          rule: 'review',
          message: `${decided} of ${total} changes are reviewed; ${Math.round(fraction * 100)} % must be.`,
          hint: 'Accept or reject more of them, or land only what is accepted.',
        },
      ];
}

export function firstOf(globs: readonly Glob[], path: string): Glob | undefined {
  return globs.find(glob => glob.matches(path));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function lowered(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : reason.charAt(0).toLowerCase() + reason.slice(1);
}
