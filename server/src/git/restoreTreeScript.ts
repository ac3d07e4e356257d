import { GIT_ENVIRONMENT } from './checkpointScript.ts';

/**
 * A POSIX sh script that makes the work tree what a commit is, run as
 * `sh restore-tree.sh <workspace> <scratch> <commit>` right after the checkpoint script, whose git directory and index it
 * goes on with. What the checkpoint has and the commit has not goes; what the checkpoint left out (`left-out`: ignored files
 * are never in it, and some are too large) stays as it is, also where the commit has another version: it is put aside and
 * back. Repeating it after a kill at any point ends the same. Exits with a sentence on stderr when it could not.
 */
export const RESTORE_TREE_SCRIPT = String.raw`#!/bin/sh
set -u
fail() {
  code=$1
  shift
  printf 'restore: %s\n' "$*" >&2
  exit "$code"
}
[ $# -eq 3 ] || fail 64 'usage: <workspace> <scratch> <commit>'
workspace=$1 scratch=$2 commit=$3

${GIT_ENVIRONMENT}

cd "$workspace" 2>/dev/null || fail 65 "the workspace $workspace is gone"
git_dir=$scratch/git
aside=$scratch/aside
[ -f "$git_dir/ready" ] || fail 65 "there is no checkpoint of $workspace"
GIT_DIR=$git_dir GIT_WORK_TREE=$workspace
export GIT_DIR GIT_WORK_TREE
tree=$(git rev-parse --verify --quiet "$commit^{tree}") || fail 66 "the commit $commit is not there"
rm -f "$git_dir/index.lock" "$git_dir/indexed"

records() { tr '\001\n' '\n\000'; }
mkdir -p "$aside" || fail 68 "cannot write to $scratch"
sed 's|^[A-Za-z]*/||' "$scratch/left-out" 2>/dev/null | records |
  xargs -0 sh -c 'aside=$0; for path do
    { [ -e "./$path" ] || [ -L "./$path" ]; } || continue
    { [ -e "$aside/$path" ] || [ -L "$aside/$path" ]; } && continue
    case $path in */*) mkdir -p "$aside/${'$'}{path%/*}" || exit 1 ;; esac
    mv "./$path" "$aside/$path" || exit 1
  done' "$aside" || fail 68 'a file that is in no checkpoint cannot be put aside'

git read-tree --reset -u "$tree" || fail 68 'the files cannot be written'

cd "$aside" && find . "(" -type f -o -type l ")" -print0 | xargs -0 sh -c 'workspace=$0; for path do
    case $path in */*) mkdir -p "$workspace/${'$'}{path%/*}" || exit 1 ;; esac
    mv -f "$path" "$workspace/$path" || exit 1
  done' "$workspace" || fail 68 "a file that is in no checkpoint cannot be put back; it is in $aside"
rm -rf "$aside"
printf '%s' "$tree" > "$git_dir/indexed"
`;
