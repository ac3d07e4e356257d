/** Nothing of the sandbox's environment, configuration or attributes reaches git. Lines of sh. */
export const GIT_ENVIRONMENT = String.raw`case $(env) in
  *GIT_*) for name in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done ;;
esac
unset XDG_CONFIG_HOME CDPATH
LC_ALL=C HOME=/nonexistent
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1
GIT_LITERAL_PATHSPECS=1 GIT_NO_REPLACE_OBJECTS=1 GIT_TERMINAL_PROMPT=0
GIT_AUTHOR_NAME=Sandpiper GIT_AUTHOR_EMAIL=sandpiper@localhost
GIT_COMMITTER_NAME=Sandpiper GIT_COMMITTER_EMAIL=sandpiper@localhost
export LC_ALL HOME GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL GIT_ATTR_NOSYSTEM GIT_LITERAL_PATHSPECS GIT_NO_REPLACE_OBJECTS
export GIT_TERMINAL_PROMPT GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL`;

/**
 * See checkpointScript() in sandboxScripts.ts. In lists, one name stands on a line and a newline inside a name is
 * written as byte 1, because sh cannot hold a NUL; the tools that take names get them NUL-separated.
 */
export const CHECKPOINT_SCRIPT = String.raw`#!/bin/sh
set -u
fail() {
  code=$1
  shift
  printf 'checkpoint: %s\n' "$*" >&2
  exit "$code"
}
[ $# -ge 6 ] || fail 64 'usage: <workspace> <scratch> <parent> <ref> <message file> <bundle> [<objects>] [<largest file>]'
workspace=$1 scratch=$2 parent=$3 ref=$4 message=$5 bundle=$6 objects=${'$'}{7:-} largest=${'$'}{8:-50000000}

${GIT_ENVIRONMENT}

cd "$workspace" 2>/dev/null || fail 65 "the workspace $workspace is gone"
git_dir=$scratch/git
clone=$workspace/.git

if [ ! -f "$git_dir/ready" ]; then
  [ -n "$objects" ] || [ -d "$clone/objects" ] ||
    fail 65 "$clone is gone, and with it the only object store that was named"
  rm -rf "$git_dir"
  mkdir -p "$scratch" && git init --bare --quiet --template= "$git_dir" && mkdir -p "$git_dir/objects/info" ||
    fail 68 "cannot write to $scratch"
  {
    if [ -n "$objects" ]; then
      printf '%s\n' "$objects"
    else
      # Named directly too, so that the mirror is still found when the clone's .git is gone.
      cat "$clone/objects/info/alternates" 2>/dev/null
      printf '%s\n' "$clone/objects"
    fi
  } > "$git_dir/objects/info/alternates"
  for shallow in "$objects/../shallow" "$clone/shallow"; do
    [ -f "$shallow" ] && cp "$shallow" "$git_dir/shallow" && break
  done
  [ -f "$clone/sandpiper.index" ] && cp -p "$clone/sandpiper.index" "$git_dir/index"
  : > "$git_dir/ready"
fi
GIT_DIR=$git_dir GIT_WORK_TREE=$workspace
export GIT_DIR GIT_WORK_TREE
for stale in "$git_dir/index.lock" "$git_dir/$ref.lock" "$bundle" "$bundle.new" "$bundle.new.lock"; do
  [ ! -e "$stale" ] || rm -f "$stale"
done

# What the index holds: the commit of the last checkpoint and its tree. Nothing, from here to the end.
indexed= parent_tree=
[ ! -f "$git_dir/indexed" ] || read -r indexed parent_tree < "$git_dir/indexed"
: > "$git_dir/indexed"
fresh=true
if [ "$indexed" != "$parent" ] || [ -z "$parent_tree" ] || [ ! -f "$git_dir/index" ]; then
  fresh=false
  parent_tree=$(git rev-parse --verify --quiet "$parent^{tree}") || fail 66 "the parent commit $parent is not there"
  git read-tree --reset "$parent_tree" 2>/dev/null || {
    rm -f "$git_dir/index"
    git read-tree "$parent_tree" || fail 66 "the tree of $parent cannot be read"
  }
fi

lines() { tr '\n\000' '\001\n'; }
records() { tr '\001\n' '\n\000'; }
: > "$scratch/nested"
: > "$scratch/left-out"

changed() { git diff-files -z --name-only --ignore-submodules=all > "$scratch/changed.raw"; }
changed &
looking=$!

# A repository inside the work tree is one entry with a slash at its end. With any entry of it in the index, git looks
# inside instead: so it gets one that does not exist, which the next step takes out again.
round=0
while :; do
  git ls-files -z --others --exclude-standard > "$scratch/untracked.raw" || fail 67 'git ls-files failed'
  [ -s "$scratch/untracked.raw" ] || break
  lines < "$scratch/untracked.raw" | grep '/$' > "$scratch/nested.new" || break
  round=$((round + 1))
  [ "$round" -le 20 ] || fail 67 'repositories are nested too deep'
  sed 's|/$||' "$scratch/nested.new" >> "$scratch/nested"
  sed 's|^\(.*\)/$|100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0	\1/.sandpiper-nested|' "$scratch/nested.new" |
    records | git update-index -z --index-info || fail 67 'a nested repository cannot be read'
done
wait "$looking" || fail 67 'git diff-files failed'
[ "$round" = 0 ] || changed || fail 67 'git diff-files failed'

leaves() {
  # Whether a link at $1 with target $2 points out of the work tree.
  case $2 in /*) return 0 ;; esac
  case $1 in */*) at=${'$'}{1%/*} ;; *) at= ;; esac
  depth=0
  old_ifs=$IFS
  IFS=/
  set -f
  for part in $at; do depth=$((depth + 1)); done
  for part in $2; do
    case $part in
      '' | .) ;;
      ..) depth=$((depth - 1)) ;;
      *) depth=$((depth + 1)) ;;
    esac
    [ "$depth" -ge 0 ] || break
  done
  set +f
  IFS=$old_ifs
  [ "$depth" -lt 0 ]
}

ignored() {
  # git refuses some names (.GIT, git~1) without failing.
  sed -n 's|^Ignoring path |invalidName/|p' "$scratch/errors" >> "$scratch/left-out"
}

if [ -s "$scratch/changed.raw" ] || [ -s "$scratch/untracked.raw" ]; then
  fresh=false
  cat "$scratch/changed.raw" "$scratch/untracked.raw" > "$scratch/files.raw"
  lines < "$scratch/files.raw" | sed 's|^|./|' | records |
    xargs -0 sh -c 'find "$@" -prune "(" -type f -size +"$0"c -o -type l ")" -print0' "$largest" \
      > "$scratch/suspects.raw" 2>/dev/null
  if [ -s "$scratch/suspects.raw" ]; then
    lines < "$scratch/suspects.raw" | sed 's|^\./||' > "$scratch/suspects"
    : > "$scratch/excluded"
    while IFS= read -r path; do
      why=
      if [ ! -L "$path" ]; then
        why=tooLarge
      elif leaves "$path" "$(readlink "./$path")"; then
        why=outsideLink
      fi
      if [ -n "$why" ]; then
        printf '%s\n' "$path" >> "$scratch/excluded"
        printf '%s/%s\n' "$why" "$path" >> "$scratch/left-out"
      fi
    done < "$scratch/suspects"
    if [ -s "$scratch/excluded" ]; then
      lines < "$scratch/files.raw" | grep -vxFf "$scratch/excluded" | records > "$scratch/files.kept"
      mv "$scratch/files.kept" "$scratch/files.raw"
    fi
  fi

  add='git update-index --add --remove --replace'
  if ! $add -z --stdin < "$scratch/files.raw" 2> "$scratch/errors"; then
    # One bad file must not cost the rest: take them one by one, and say which were bad.
    rm -f "$git_dir/index.lock"
    lines < "$scratch/files.raw" > "$scratch/files"
    while IFS= read -r path; do
      printf '%s\n' "$path" | records | $add -z --stdin 2> "$scratch/errors" && ignored && continue
      rm -f "$git_dir/index.lock"
      if [ ! -r "$path" ]; then
        printf 'unreadable/%s\n' "$path" >> "$scratch/left-out"
      else
        fail 68 "$path cannot be stored: $(head -n 1 "$scratch/errors")"
      fi
    done < "$scratch/files"
  else
    [ ! -s "$scratch/errors" ] || ignored
  fi
fi

json() {
  # Lines of $1 as a JSON list, each put into the sed replacement $2.
  head -n 20 "$1" | tr '\001-\011\013-\037' '?' | sed -e 's/[\\"]/\\&/g' -e "$2" | paste -s -d , -
}

if [ "$fresh" = true ]; then
  tree=$parent_tree
else
  tree=$(git write-tree) || fail 68 'the tree cannot be written'
fi
if [ "$tree" = "$parent_tree" ]; then
  commit=$parent made=false
else
  # Asked again for the same turn, after a relay was killed: the same commit, so that its import is the same too.
  if [ -f "$git_dir/$ref" ] && [ "$(git rev-parse --quiet "$ref^{tree}" "$ref^@" 2>/dev/null | tr '\n' ' ')" = "$tree $parent " ]; then
    commit=$(git rev-parse --verify "$ref")
  else
    commit=$(git commit-tree "$tree" -p "$parent" -F "$message") || fail 68 'the commit cannot be written'
    git update-ref "$ref" "$commit" || fail 68 "$ref cannot be written"
  fi
  git bundle create --quiet "$bundle.new" "$ref" "^$parent" > /dev/null && mv "$bundle.new" "$bundle" ||
    fail 68 'the bundle cannot be written'
  made=true
fi
printf '%s %s\n' "$commit" "$tree" > "$git_dir/indexed"
nested= left_out= count=0
[ ! -s "$scratch/nested" ] || nested=$(json "$scratch/nested" 's|.*|"&"|')
if [ -s "$scratch/left-out" ]; then
  left_out=$(json "$scratch/left-out" 's|^\([A-Za-z]*\)/\(.*\)$|{"why":"\1","path":"\2"}|')
  count=$(wc -l < "$scratch/left-out" | tr -d ' ')
fi
printf '{"commit":"%s","tree":"%s","bundle":%s,"nested":[%s],"leftOut":[%s],"leftOutCount":%s}\n' \
  "$commit" "$tree" "$made" "$nested" "$left_out" "$count"
`;
