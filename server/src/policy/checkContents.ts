import type { PolicyViolation } from '../../../protocol/policy.ts';
import { firstOf, type LandingFile } from './checkPolicy.ts';
import { hasHeader } from './licenseHeader.ts';
import type { Policy } from './policyFile.ts';

/** A file that is to land, with what stands in it. */
export interface FileContent {
  file: LandingFile;
  content: Buffer;
  /** What it was; empty for a new one. */
  before: Buffer;
}

export interface FoundSecret {
  name: string;
  line?: number;
  /** The relay holds it; else it only looks like one. */
  held: boolean;
}

const HINT_SECRET = 'Take it out of the file, and revoke it when it is real: it was in a session.';

/** Whether a rule asks what stands in a file. */
export function needsContent(policy: Policy, { path, status }: LandingFile): boolean {
  return status !== 'deleted' && (policy.secretsExcept !== undefined || headersOf(policy, path).length > 0);
}

/**
 * Pure. The rules about what stands in a file.
 * @param find the secrets that it has and had not before
 */
export function checkContent(
  policy: Policy,
  { file, content, before }: FileContent,
  find: (content: Buffer, before: Buffer) => FoundSecret[],
): PolicyViolation[] {
  const { path } = file;
  return [...secretsIn(policy, { file, content, before }, find), ...checkHeaders(policy, path, { content, before })];
}

/** What is too large to be looked into. */
export function tooLargeToCheck(policy: Policy, { path }: LandingFile, bytes: number): PolicyViolation[] {
  return policy.secretsExcept === undefined || firstOf(policy.secretsExcept, path)
    ? []
    : [
        {
          rule: 'secrets',
          path,
          message: `It is too large to be searched for secrets (${bytes} bytes).`,
          hint: 'Reject it, or name it in `secrets.except` of the policy.',
        },
      ];
}

function secretsIn(
  { secretsExcept }: Policy,
  { file: { path }, content, before }: FileContent,
  find: (content: Buffer, before: Buffer) => FoundSecret[],
): PolicyViolation[] {
  if (secretsExcept === undefined) {
    return [];
  }
  const mayLookLikeOne = firstOf(secretsExcept, path) !== undefined;
  return find(content, before)
    .filter(({ held }) => held || !mayLookLikeOne)
    .map(({ name, line, held }) => ({
      rule: 'secrets' as const,
      path,
      ...(line === undefined ? {} : { line }),
      message: held
        ? `A secret of this relay stands there (${name}).`
        : `What stands there looks like a secret (${name}).`,
      hint: HINT_SECRET,
    }));
}

/** A new file needs its header; one that was there without may stay so. */
function checkHeaders(
  policy: Policy,
  path: string,
  { content, before }: { content: Buffer; before: Buffer },
): PolicyViolation[] {
  if (content.length === 0) {
    return [];
  }
  const text = content.toString('utf8');
  const old = before.toString('utf8');
  return headersOf(policy, path)
    .filter(({ header }) => !hasHeader(text, header) && (before.length === 0 || hasHeader(old, header)))
    .map(({ header }) => ({
      rule: 'licenseHeaders' as const,
      path,
      line: 1,
      message: `It has no licence header "${(header[0] ?? '').slice(0, 100)}".`,
      hint: 'Put it at the top of the file.',
    }));
}

function headersOf({ licenseHeaders }: Policy, path: string): Policy['licenseHeaders'] {
  return licenseHeaders.filter(({ files }) => firstOf(files, path) !== undefined);
}
