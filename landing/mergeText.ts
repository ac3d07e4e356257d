import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SandpiperError } from '../protocol/errors.ts';
import { complaint, tryGit, type Environment } from './runGit.ts';
import { t } from '../protocol/text.ts';

/** Texts of more bytes are not merged line by line. */
const MAX_BYTES = 16 * 1024 * 1024;

export interface Texts {
  base: Buffer;
  ours: Buffer;
  theirs: Buffer;
}

export type Merged =
  /** `marked` has both sides between markers where they cannot be merged. */
  { kind: 'clean'; content: Buffer } | { kind: 'conflict'; marked: Buffer } | { kind: 'noText' };

/**
 * The three-way merge of a text, on bytes. Where the user's file has other line ends than a fresh one of git's would have,
 * the other two sides get the user's, so that only what was really changed is.
 */
export async function mergeText(texts: Texts, environment: Environment): Promise<Merged> {
  const settled = withoutMerge(texts);
  if (settled) {
    return { kind: 'clean', content: settled };
  }
  if (Object.values(texts).some(content => content.length > MAX_BYTES || content.includes(0))) {
    return { kind: 'noText' };
  }
  const ends = lineEnds(texts.ours);
  const { base, ours, theirs } =
    ends === undefined
      ? texts
      : { base: withLineEnds(texts.base, ends), ours: texts.ours, theirs: withLineEnds(texts.theirs, ends) };
  const folder = await mkdtemp(join(tmpdir(), 'sandpiper-merge-'));
  try {
    await Promise.all(
      Object.entries({ ours, base, theirs }).map(([name, content]) => writeFile(join(folder, name), content)),
    );
    const labels = ['-L', 'Yours', '-L', 'Before the session', '-L', "The agent's"];
    const result = await tryGit(['merge-file', '-p', '--diff3', ...labels, 'ours', 'base', 'theirs'], {
      environment,
      cwd: folder,
    });
    // The exit code counts conflicts; above that range it is a failure.
    if (result.code === undefined || result.code > 127) {
      throw new SandpiperError('git_failed', t('git merge-file failed: {0}', complaint(result.stderr)));
    }
    return result.code === 0 ? { kind: 'clean', content: result.stdout } : { kind: 'conflict', marked: result.stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What it is where only one side changed the content, of whatever kind or size: the other may have changed the mode. */
function withoutMerge({ base, ours, theirs }: Texts): Buffer | undefined {
  if (theirs.equals(base) || theirs.equals(ours)) {
    return ours;
  }
  return ours.equals(base) ? theirs : undefined;
}

/** What every line ends with; undefined for a mixture and for a single line. */
function lineEnds(content: Buffer): '\n' | '\r\n' | undefined {
  let lf = 0;
  let crlf = 0;
  for (let at = content.indexOf(10); at >= 0; at = content.indexOf(10, at + 1)) {
    if (content[at - 1] === 13) {
      crlf++;
    } else {
      lf++;
    }
  }
  return lf > 0 && crlf > 0 ? undefined : crlf > 0 ? '\r\n' : lf > 0 ? '\n' : undefined;
}

/** Only where it is all one kind: a file that mixes line ends means them. */
function withLineEnds(content: Buffer, ends: '\n' | '\r\n'): Buffer {
  const now = lineEnds(content);
  if (now === undefined || now === ends) {
    return content;
  }
  const text = content.toString('latin1');
  return Buffer.from(ends === '\n' ? text.replaceAll('\r\n', '\n') : text.replaceAll('\n', '\r\n'), 'latin1');
}
