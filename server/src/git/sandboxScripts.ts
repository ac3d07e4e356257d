import { SandpiperError } from '../../../protocol/errors.ts';
import { CHECKPOINT_SCRIPT } from './checkpointScript.ts';
import { isBranchName, isCommitId } from './refs.ts';

/*
 * What the session layer runs inside a sandbox. Pure: text and arguments only, because the relay itself never runs git
 * where a sandbox can write (I9).
 */

export interface CloneSpec {
  /** Where the mirror's folder (`Mirror.path`) is bound inside the sandbox, read-only. */
  mirrorPath: string;
  commit: string;
  /** Made if it is missing; must have no `.git` of another clone. */
  workspace: string;
  branch: string;
  /** For the commits that the agent makes itself; they stay in the sandbox. */
  author: { name: string; email: string };
}

/** Left in the clone's .git for the first checkpoint: an index that the agent's git does not use. */
const FIRST_INDEX = 'sandpiper.index';

/** Its arguments: the mirror, the commit, the workspace, the branch, and the author's name and email address. */
const CLONE_SCRIPT = `
set -e
git init --quiet --template= "--initial-branch=$4" -- "$3"
mkdir -p "$3/.git/objects/info"
printf '%s\\n' "$1/objects" > "$3/.git/objects/info/alternates"
if [ -f "$1/shallow" ]; then
  cp "$1/shallow" "$3/.git/shallow"
  chmod u+w "$3/.git/shallow"
fi
git -C "$3" config user.name "$5"
git -C "$3" config user.email "$6"
git -C "$3" reset --quiet --hard "$2"
cp -p "$3/.git/index" "$3/.git/${FIRST_INDEX}"
`;

/**
 * The program that makes the agent's clone, to be run to exit code 0. Repeating it is harmless as long as no agent worked
 * there. The clone borrows the mirror's objects, has the whole history, one branch and no remote.
 * Not `git clone`: that copies a shallow mirror, and refuses one that belongs to another user.
 * One program and not one for each step, because entering a sandbox costs more than most of the steps.
 * @throws `invalid_params` for a branch or commit that is none
 */
export function cloneCommand(spec: CloneSpec): string[] {
  const { mirrorPath, workspace, branch, commit, author } = spec;
  if (!isBranchName(branch) || !isCommitId(commit)) {
    throw new SandpiperError('invalid_params', `Cannot clone "${commit}" as branch "${branch}".`);
  }
  // A fixed script; what varies are its arguments, which the shell does not interpret.
  const name = configValue(author.name, 'Sandpiper');
  const email = configValue(author.email, 'sandpiper@localhost');
  return ['sh', '-c', CLONE_SCRIPT, 'sh', mirrorPath, commit, workspace, branch, name, email];
}

/**
 * What the checkpoint script prints: one line of JSON.
 * `commit` is the parent when nothing changed; then there is no bundle.
 */
export interface CheckpointResult {
  commit: string;
  tree: string;
  bundle: boolean;
  /** Repositories that the agent made inside the work tree; their files are in the checkpoint as plain files. At most 20. */
  nested: string[];
  /** What is not in the checkpoint as it is in the work tree, and why. At most 20. */
  leftOut: { why: 'tooLarge' | 'outsideLink' | 'unreadable' | 'invalidName'; path: string }[];
  leftOutCount: number;
}

/** Exit codes of the checkpoint script besides 0; stderr has a sentence. */
export const CHECKPOINT_EXIT = {
  usage: 64,
  /** The workspace, or on the first checkpoint its .git, is gone. */
  workspaceGone: 65,
  /** The parent commit is not in any object store that the sandbox sees. */
  parentMissing: 66,
  /** The files could not be read. */
  unreadable: 67,
  /** The commit could not be written: disk full, no permission. */
  unwritable: 68,
} as const;

/**
 * Text of a POSIX sh script that makes a checkpoint, run as
 * `sh checkpoint.sh <workspace> <scratch> <parent> <ref> <message file> <bundle> [<objects>] [<largest file in bytes>]`
 * with absolute paths; `objects` is the mirror's object store inside the sandbox (`<mirrorPath>/objects`).
 *
 * It works through a git directory of its own in `scratch`, with its own index, so nothing that the agent did to the
 * clone's .git matters: other branches, rebases, hooks, filters, ignored-by-index flags, or that it is gone. The scratch
 * folder is kept between checkpoints; without it the next one is correct but slow. One at a time. Repeated for the same ref
 * with the same work and parent it gives the same commit.
 */
export function checkpointScript(): string {
  return CHECKPOINT_SCRIPT;
}

/** Reads what the script printed. @throws `git_failed` when that is not its output */
export function parseCheckpoint(stdout: string): CheckpointResult {
  const value = parseJson(stdout);
  if (isCheckpoint(value)) {
    return value;
  }
  throw new SandpiperError('git_failed', `The checkpoint script printed something else: ${stdout.slice(0, 200)}`);
}

function isCheckpoint(value: unknown): value is CheckpointResult {
  return (
    isObject(value) &&
    isCommit(value['commit']) &&
    isCommit(value['tree']) &&
    typeof value['bundle'] === 'boolean' &&
    typeof value['leftOutCount'] === 'number' &&
    Array.isArray(value['nested']) &&
    value['nested'].every(path => typeof path === 'string') &&
    Array.isArray(value['leftOut']) &&
    value['leftOut'].every(
      entry =>
        isObject(entry) &&
        typeof entry['path'] === 'string' &&
        ['tooLarge', 'outsideLink', 'unreadable', 'invalidName'].includes(String(entry['why'])),
    )
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCommit(value: unknown): boolean {
  return typeof value === 'string' && isCommitId(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A leading dash would be an option to git config. */
function configValue(value: string, fallback: string): string {
  return value.replace(/[\p{Cc}<>]/gu, '').replace(/^[-\s]+/, '') || fallback;
}
