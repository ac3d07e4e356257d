/*
 * What runs inside a sandbox to save all that a commit of its files leaves out, and to bring it back. Pure: text only,
 * because the relay itself touches nothing that a sandbox could write (I9).
 */

/** Exit codes of the saving script besides 0; stderr has a sentence. */
export const SAVE_EXIT = { failed: 65, tooLarge: 70 } as const;

/**
 * Text of a POSIX sh script, run as `sh save.sh <workspace> <scratch> <home> <out> <largest archive in bytes> <whole>`.
 * Writes `<out>.work` and `<out>.home`, both tar.gz. With `whole` = `no` the first has the clone's .git, what git ignores,
 * what the last checkpoint left out and empty folders; the checkpoint script must just have run with this scratch folder.
 * With `yes` it has the whole workspace. Caches of package managers in the home are left out: they can be filled again.
 */
export const SAVE_SCRIPT = String.raw`#!/bin/sh
set -u
workspace=$1 scratch=$2 home=$3 out=$4 largest=$5 whole=$6
LC_ALL=C
export LC_ALL
fail() {
  code=$1
  shift
  printf '%s\n' "$*" >&2
  exit "$code"
}
for name in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL
mkdir -p "$scratch" && rm -f "$out.work" "$out.home" || fail 65 "cannot write to $scratch"

pack() {
  # In a subshell: the limit is in blocks of 512 bytes and holds for one archive.
  file=$1
  shift
  if (ulimit -f $((largest / 512 + 1)) && exec tar -czf "$file" "$@") 2> "$scratch/save.errors"; then
    return 0
  fi
  size=$(wc -c < "$file" 2>/dev/null || echo 0)
  [ "$size" -lt "$largest" ] || fail 70 "it is more than $largest bytes"
  fail 65 "$(tail -n 1 "$scratch/save.errors")"
}

cd "$workspace" 2>/dev/null || fail 65 "the workspace $workspace is gone"
if [ "$whole" = yes ]; then
  pack "$out.work" .
else
  {
    git --git-dir="$scratch/git" --work-tree="$workspace" ls-files -z --others || fail 65 'git ls-files failed'
    [ -f "$scratch/left-out" ] && sed 's|^[A-Za-z]*/||' "$scratch/left-out" | tr '\001\n' '\n\000'
    find . -name .git -prune -print0 -o -type d -empty -print0
  } > "$scratch/save.list" || exit 65
  pack "$out.work" --null -T "$scratch/save.list"
fi
cd "$home" 2>/dev/null || fail 65 "the home $home is gone"
pack "$out.home" --exclude=./.cache --exclude=./.npm/_cacache .
`;

/**
 * Text of a POSIX sh script, run as `sh restore.sh <workspace> <home> <pieces> <mirror objects> <whole>` after the clone was
 * made: puts what was saved on top of it. `pieces` is a folder with `work.000000`, ... and `home.000000`, ..., the bytes of
 * the two archives in order. Repeating it is harmless.
 */
export const RESTORE_SCRIPT = String.raw`#!/bin/sh
set -u
workspace=$1 home=$2 pieces=$3 objects=$4 whole=$5
fail() {
  printf '%s\n' "$*" >&2
  exit 65
}
cd "$workspace" || fail "the workspace $workspace is gone"
if [ "$whole" = yes ]; then
  find . ! -name . -prune -exec rm -rf {} +
else
  rm -rf .git
fi
cat "$pieces"/work.* | tar -xzpf - || fail 'the files of the workspace cannot be unpacked'
if [ -d .git/objects ]; then
  mkdir -p .git/objects/info && printf '%s\n' "$objects" > .git/objects/info/alternates || fail 'cannot write .git'
fi
cat "$pieces"/home.* | (cd "$home" && tar -xzpf -) || fail 'the files of the home cannot be unpacked'
rm -rf "$pieces"
`;
