import { linesOf } from '../protocol/anchor.ts';
import { tryGit } from './runGit.ts';
import type { UserFolder } from './userFolder.ts';

/** A line of a user's file that came with a commit of a session. */
export interface LandedLine {
  sessionId: string;
  commit: string;
  /** The first line of its message. */
  subject: string;
  /** The file as that commit has it, in the repository's words. */
  path: string;
  /** Of that file, counted from 0. */
  line: number;
  lines: string[];
}

const TIMEOUT_MS = 20_000;
const HEADER = /^([0-9a-f]{40}(?:[0-9a-f]{24})?) (\d+) \d+/;
/** A squashed commit has the messages of those that it took in, and a pull request's text where that became the message. */
const SESSION = /(?:^[ \t]*Sandpiper-Session:[ \t]*|<!-- sandpiper:session=)(ses_\w+)/gm;

/**
 * Which session's commit wrote a line, by `git blame`; the user's `.git` is only read.
 * @param text what the editor shows of the file, saved or not
 * @param line counted from 0
 * @returns undefined when the line is not committed, or by somebody else
 */
export async function landedLine(
  { root, environment }: Pick<UserFolder, 'root' | 'environment'>,
  path: string,
  line: number,
  text: Uint8Array,
): Promise<LandedLine | undefined> {
  const run = { cwd: root, environment, timeoutMs: TIMEOUT_MS };
  const range = `${line + 1},${line + 1}`;
  const blamed = await tryGit(['blame', '--no-textconv', '--porcelain', '-L', range, '--contents', '-', '--', path], {
    ...run,
    stdin: text,
  });
  const [first = '', ...rest] = blamed.stdout.toString('utf8').split('\n');
  const [, commit = '', number = ''] = HEADER.exec(first) ?? [];
  if (blamed.code !== 0 || commit === '' || /^0+$/.test(commit)) {
    return undefined;
  }
  const shown = await tryGit(['log', '-1', '--no-show-signature', '--format=%B', commit, '--'], run);
  const message = shown.stdout.toString('utf8');
  const sessionId = [...message.matchAll(SESSION)].at(-1)?.[1];
  if (sessionId === undefined) {
    return undefined;
  }
  const name = rest.find(one => one.startsWith('filename '))?.slice('filename '.length) ?? path;
  const content = await tryGit(['cat-file', 'blob', `${commit}:${name}`], run);
  return {
    sessionId,
    commit,
    subject: message.split('\n')[0] ?? '',
    path: name,
    line: Number(number) - 1,
    lines: linesOf(content.stdout.toString('utf8')),
  };
}
