import { spawn } from 'node:child_process';
import { EFFECTS_FILES } from './work.ts';

/** The lines of every effects file in one commit. */
export type Contents = Readonly<Record<string, readonly string[]>>;

/**
 * Reads the effects files of many commits out of a mirror, past the relay: so it is seen that the objects are there.
 * A commit that is not there is not in the answer; a file that a commit has not is empty.
 */
export async function readCommitFiles(mirror: string, commits: Iterable<string>): Promise<Map<string, Contents>> {
  const all = [...new Set(commits)];
  const kinds = (await catFile(mirror, '--batch-check', all)).toString().split('\n');
  const present = all.filter((_, index) => / commit \d+$/.test(kinds[index] ?? ''));
  const wanted = present.flatMap(commit => EFFECTS_FILES.map(path => ({ commit, path })));
  const output = await catFile(
    mirror,
    '--batch',
    wanted.map(({ commit, path }) => `${commit}:${path}`),
  );
  const found = new Map<string, Record<string, string[]>>(present.map(commit => [commit, {}]));
  let at = 0;
  for (const { commit, path } of wanted) {
    const end = output.indexOf(0x0a, at);
    const bytes = Number(/ blob (\d+)$/.exec(output.toString('utf8', at, end))?.[1] ?? Number.NaN);
    const text = Number.isNaN(bytes) ? '' : output.toString('utf8', end + 1, end + 1 + bytes);
    at = end + 1 + (Number.isNaN(bytes) ? 0 : bytes + 1);
    const files = found.get(commit);
    if (files) {
      files[path] = text.split('\n').slice(0, -1);
    }
  }
  return found;
}

function catFile(mirror: string, how: '--batch' | '--batch-check', names: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['--git-dir', mirror, 'cat-file', how], { stdio: ['pipe', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', code =>
      code === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`git cat-file ended with ${code}.`)),
    );
    child.stdin.end(names.map(name => `${name}\n`).join(''));
  });
}
