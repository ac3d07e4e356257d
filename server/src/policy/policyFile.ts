import * as z from 'zod';
import { POLICY_PATH, type PolicyViolation } from '../../../protocol/policy.ts';
import { compileGlob, type Glob } from './glob.ts';
import { GlobError } from './globError.ts';
import { JsonError, parseJsonLines, type JsonLines } from './jsonLines.ts';

/** What may land, as a repository declares it. A list that is absent has no rule; an empty one matches nothing. */
export interface Policy {
  /** Every file must fit one of them. */
  allow: readonly Glob[] | undefined;
  deny: readonly Glob[];
  /** What is there stays as it is; new files may come. */
  protected: readonly Glob[];
  /** With the built-in ones: what nobody accepted does not land. Absent: that is not asked. */
  sensitive: readonly Glob[] | undefined;
  limits: { files?: number; lines?: number; bytes?: number; fileBytes?: number };
  /** Files in which what only looks like a secret may stand. Absent: nothing is looked for. */
  secretsExcept: readonly Glob[] | undefined;
  licenseHeaders: readonly { files: readonly Glob[]; header: readonly string[] }[];
  /** How much of the work a person must have decided on, 0 to 1. */
  reviewed: number;
}

export const MAX_POLICY_BYTES = 64 * 1024;
const MAX_PATTERNS = 200;
const MAX_PATTERN_CHARS = 200;
const MAX_SHOWN = 20;

const patterns = z.array(z.string().max(MAX_PATTERN_CHARS)).max(MAX_PATTERNS);
const limit = z.int().nonnegative();

/** As it stands in the file. Unknown names are refused: a rule that is misspelt would be none. */
const fileSchema = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  paths: z.strictObject({ allow: patterns.optional(), deny: patterns.optional() }).optional(),
  protected: patterns.optional(),
  sensitive: patterns.optional(),
  limits: z
    .strictObject({
      files: limit.optional(),
      lines: limit.optional(),
      bytes: limit.optional(),
      fileBytes: limit.optional(),
    })
    .optional(),
  secrets: z.union([z.literal('off'), z.strictObject({ except: patterns })]).optional(),
  licenseHeaders: z
    .array(z.strictObject({ files: patterns.min(1), header: z.string().trim().min(1).max(2000) }))
    .max(20)
    .optional(),
  review: z.strictObject({ fraction: z.number().min(0).max(1) }).optional(),
});
type PolicyFile = z.infer<typeof fileSchema>;

export type ReadPolicy = { kind: 'policy'; policy: Policy } | { kind: 'broken'; violations: PolicyViolation[] };

/** Every mistake with its line and what it is about; the first 20. */
export function readPolicy(content: Buffer): ReadPolicy {
  if (content.length > MAX_POLICY_BYTES) {
    return broken([{ line: 1, message: `It is larger than ${MAX_POLICY_BYTES} bytes.` }]);
  }
  let json: JsonLines;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    json = parseJsonLines(text);
  } catch (error) {
    return broken([
      error instanceof JsonError
        ? { line: error.line, message: `It is no JSON: ${error.message}.` }
        : { line: 1, message: 'It is not UTF-8.' },
    ]);
  }
  const parsed = fileSchema.safeParse(json.value);
  if (!parsed.success) {
    return broken(parsed.error.issues.flatMap(issue => mistakesOf(issue, json)));
  }
  return compile(parsed.data, json);
}

interface Mistake {
  line: number;
  message: string;
}

function broken(mistakes: readonly Mistake[]): ReadPolicy {
  const violations = mistakes.slice(0, MAX_SHOWN).map(({ line, message }) => ({
    rule: 'file' as const,
    path: POLICY_PATH,
    line,
    message,
    hint: 'Mend it on the base branch; until then nothing lands.',
  }));
  return { kind: 'broken', violations };
}

function mistakesOf(issue: z.core.$ZodIssue, json: JsonLines): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({
      line: json.lineOf([...issue.path, key]),
      message: `${fieldOf([...issue.path, key])} is not known.`,
    }));
  }
  return [{ line: json.lineOf(issue.path), message: `${fieldOf(issue.path)}: ${issue.message}.` }];
}

function fieldOf(path: readonly PropertyKey[]): string {
  const name = path.map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return name === ''
    ? 'The whole'
    : `"${name
        .replace(/^\./, '')
        .replace(/\p{Cc}/gu, ' ')
        .slice(0, 100)}"`;
}

function compile(file: PolicyFile, json: JsonLines): ReadPolicy {
  const mistakes: Mistake[] = [];
  const globs = (given: readonly string[], path: readonly PropertyKey[], loosely: boolean): Glob[] =>
    given.flatMap((pattern, at) => {
      try {
        return [compileGlob(pattern, { loosely })];
      } catch (error) {
        if (!(error instanceof GlobError)) {
          throw error;
        }
        const place = [...path, at];
        mistakes.push({ line: json.lineOf(place), message: `${fieldOf(place)}: the pattern ${error.message}.` });
        return [];
      }
    });
  const { paths, secrets } = file;
  const policy: Policy = {
    allow: paths?.allow && globs(paths.allow, ['paths', 'allow'], false),
    deny: globs(paths?.deny ?? [], ['paths', 'deny'], true),
    protected: globs(file.protected ?? [], ['protected'], true),
    sensitive: file.sensitive && globs(file.sensitive, ['sensitive'], true),
    limits: defined(file.limits ?? {}),
    secretsExcept: secrets === 'off' ? undefined : globs(secrets?.except ?? [], ['secrets', 'except'], false),
    licenseHeaders: (file.licenseHeaders ?? []).map(({ files, header }, at) => ({
      files: globs(files, ['licenseHeaders', at, 'files'], true),
      header: header
        .split('\n')
        .map(line => line.trim())
        .filter(line => line !== ''),
    })),
    reviewed: file.review?.fraction ?? 0,
  };
  return mistakes.length === 0 ? { kind: 'policy', policy } : broken(mistakes);
}

function defined(limits: NonNullable<PolicyFile['limits']>): Policy['limits'] {
  const { files, lines, bytes, fileBytes } = limits;
  return {
    ...(files === undefined ? {} : { files }),
    ...(lines === undefined ? {} : { lines }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(fileBytes === undefined ? {} : { fileBytes }),
  };
}
