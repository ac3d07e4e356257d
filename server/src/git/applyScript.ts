import { SandpiperError } from '../../../protocol/errors.ts';
import { isCommitId } from './refs.ts';

/*
 * Brings the difference of two commits into a sandbox's work tree. Pure: text and arguments only (I9).
 *
 * It works through the checkpoint script's git directory, directly after a checkpoint that had the work tree as the first
 * commit. Each file is put in its place by one rename, so that a kill leaves every path as it was or as it is to be, and the
 * next attempt, on what it then finds, comes to the same end. What is not as the first commit says (a file that a program
 * is just writing, a folder in place of a file) is left alone: the checkpoint that follows tells what is really there.
 *
 * Names with a newline are left out; sh cannot hold them.
 */
const APPLY_SCRIPT = String.raw`
set -u
workspace=$1 scratch=$2 from=$3 to=$4
for name in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
unset XDG_CONFIG_HOME CDPATH
LC_ALL=C HOME=/nonexistent
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 GIT_LITERAL_PATHSPECS=1 GIT_NO_REPLACE_OBJECTS=1
GIT_DIR=$scratch/git GIT_WORK_TREE=$workspace
export LC_ALL HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_ATTR_NOSYSTEM GIT_LITERAL_PATHSPECS GIT_NO_REPLACE_OBJECTS
export GIT_DIR GIT_WORK_TREE
cd "$workspace" || exit 65
root=$(pwd -P)
# On the file system of the work tree, or a rename would be a copy; and where no checkpoint looks.
[ -d .git ] && [ ! -L .git ] || exit 65
stage=$root/.git/sandpiper-review
rm -rf "$stage"
mkdir "$stage" || exit 68
trap 'rm -rf "$stage" "$scratch/review.index" "$scratch/review.index.lock"' EXIT
trap 'exit 70' HUP INT TERM

lines() { tr '\n\000' '\001\n'; }
records() { tr '\001\n' '\n\000'; }
named() { grep -v "$(printf '\001')" || :; }
diff='git diff-tree -r -z --no-renames --name-only'
git diff-files -z --name-only --ignore-submodules=all | lines > "$scratch/review.busy" || exit 67
$diff --diff-filter=D "$from" "$to" | lines | named | grep -vxFf "$scratch/review.busy" > "$scratch/review.gone"
$diff --diff-filter=d "$from" "$to" | lines | named | grep -vxFf "$scratch/review.busy" > "$scratch/review.here"

GIT_INDEX_FILE=$scratch/review.index
export GIT_INDEX_FILE
rm -f "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.lock"
git read-tree "$to" || exit 66
records < "$scratch/review.here" | git checkout-index -z --stdin --prefix="$stage/" || exit 68

inside() {
  # Whether the folder of $1 is in the work tree, and no link leads out of it.
  case $1 in */*) folder=${'$'}{1%/*} ;; *) return 0 ;; esac
  real=$(cd "./$folder" 2>/dev/null && pwd -P) && [ "$real" = "$root/$folder" ]
}

while IFS= read -r path; do
  inside "$path" || continue
  if [ ! -d "./$path" ] || [ -L "./$path" ]; then
    rm -f "./$path"
    case $path in */*) rmdir -p "./${'$'}{path%/*}" 2>/dev/null ;; esac
  fi
done < "$scratch/review.gone"
while IFS= read -r path; do
  case $path in */*) mkdir -p "./${'$'}{path%/*}" 2>/dev/null ;; esac
  inside "$path" || continue
  [ -d "$stage/$path" ] && [ ! -L "$stage/$path" ] && continue
  [ -d "./$path" ] && [ ! -L "./$path" ] && continue
  mv -f "$stage/$path" "./$path"
done < "$scratch/review.here"
exit 0
`;

/**
 * The program that applies the difference of two commits, to be run to exit code 0 directly after a checkpoint of `from`.
 * @param scratch the checkpoint script's folder
 * @throws `invalid_params` for what is no commit
 */
export function applyCommand(spec: { workspace: string; scratch: string; from: string; to: string }): string[] {
  const { workspace, scratch, from, to } = spec;
  if (!isCommitId(from) || !isCommitId(to)) {
    throw new SandpiperError('invalid_params', `Cannot apply "${from}" to "${to}": not a commit.`);
  }
  // A fixed script; what varies are its arguments, which the shell does not interpret.
  return ['sh', '-c', APPLY_SCRIPT, 'apply-review', workspace, scratch, from, to];
}
