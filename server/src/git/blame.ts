import { SandpiperError } from '../../../protocol/errors.ts';
import { gitFailed, tryGit } from './git.ts';
import type { Mirror } from './mirror.ts';
import { isCommitId } from './refs.ts';

/** A run of lines that one commit brought. `start` is counted from 0. */
export interface BlamedLines {
  commit: string;
  /** The lines were there before the oldest commit that is asked about. */
  isBoundary: boolean;
  start: number;
  count: number;
}

const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 20_000;

/**
 * Which commit after `since` brought each of these lines of a file.
 * @throws `not_found` when there is no such file or line
 */
export async function blameLines(
  mirror: Mirror,
  spec: { commit: string; since: string; path: string; start: number; count: number },
): Promise<BlamedLines[]> {
  const { commit, since, path, start, count } = spec;
  if (!isCommitId(commit) || !isCommitId(since)) {
    throw new SandpiperError('invalid_params', 'Only commits can be asked where a line came from.');
  }
  const args = ['blame', '--porcelain', '-L', `${start + 1},+${count}`, commit, `^${since}`, '--', path];
  const options = { gitDir: mirror.path, maxOutputBytes: MAX_OUTPUT_BYTES, timeoutMs: TIMEOUT_MS };
  const result = await tryGit(args, options);
  if (result.code === 128) {
    throw new SandpiperError('not_found', `${path} has no line ${start + 1}.`, { hint: 'Look at the changes again.' });
  }
  if (result.code !== 0) {
    throw gitFailed(args, result);
  }
  return parsePorcelain(result.stdout.toString('utf8'));
}

function parsePorcelain(text: string): BlamedLines[] {
  const lines: BlamedLines[] = [];
  const boundaries = new Set<string>();
  let commit = '';
  for (const line of text.split('\n')) {
    const [, id, final] = /^([0-9a-f]{40}) \d+ (\d+)/.exec(line) ?? [];
    const last = lines.at(-1);
    if (id !== undefined) {
      commit = id;
      if (last?.commit === id && last.start + last.count === Number(final) - 1) {
        last.count++;
      } else {
        lines.push({ commit: id, isBoundary: false, start: Number(final) - 1, count: 1 });
      }
    } else if (line === 'boundary') {
      boundaries.add(commit);
    }
  }
  return lines.map(run => ({ ...run, isBoundary: boundaries.has(run.commit) }));
}
