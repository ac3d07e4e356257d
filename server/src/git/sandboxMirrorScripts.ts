import { GIT_ENVIRONMENT } from './checkpointScript.ts';
import { isCommitId } from './refs.ts';

/*
 * The mirror of a sandbox that the relay's own cannot be mounted into: a bare repository that bundles are unpacked in. Of a
 * commit that was brought a ref tells, so that no more than the difference is ever sent.
 */

/** Where the commits are looked for, and unpacked: the checkpoints' own repository sees the mirror too. */
const CHOOSE = String.raw`mirror=$1 scratch=$2
shift 2
repository=$mirror
[ -f "$scratch/git/ready" ] && repository=$scratch/git
`;

/**
 * `<mirror> <scratch> <commit>...` prints those of the commits that are there, and all that were brought. Makes the mirror
 * when it is missing.
 */
export const ASK_SCRIPT = String.raw`
set -u
${GIT_ENVIRONMENT}
command -v git >/dev/null || { echo 'git is missing' >&2; exit 127; }
${CHOOSE}
if [ ! -f "$mirror/ready" ]; then
  rm -rf "$mirror"
  git init --bare --quiet --template= "$mirror" && : > "$mirror/ready" || exit 68
fi
git --git-dir="$mirror" for-each-ref '--format=%(objectname)' refs/sandpiper/brought
for commit do
  git --git-dir="$repository" cat-file -e "$commit^{tree}" 2>/dev/null && printf '%s\n' "$commit"
done
exit 0
`;

/** `<mirror> <scratch> <pieces> <commit>...` unpacks the bundle that stands in `pieces` in the order of their names. */
export const RECEIVE_SCRIPT = String.raw`
set -u
${GIT_ENVIRONMENT}
${CHOOSE}
pieces=$1
shift
cat "$pieces"/[0-9]* > "$pieces/bundle" && rm -f "$pieces"/[0-9]* || exit 68
git --git-dir="$repository" bundle unbundle "$pieces/bundle" > /dev/null || exit 67
for commit do
  git --git-dir="$repository" cat-file -e "$commit^{tree}" || exit 66
  # Where only the checkpoints' repository has it, it is asked for there again.
  [ "$repository" != "$mirror" ] || git --git-dir="$mirror" update-ref "refs/sandpiper/brought/$commit" "$commit" || exit 68
done
rm -rf "$pieces"
`;

/** FILL_SCRIPT ends with it where something stands already: then what is lacking is to be asked for. */
export const NOT_EMPTY = 90;

/**
 * `<mirror> <scratch> <bundle file> <commit> <shallow> <program> <sent program> <known> <argv of the clone>...`
 * makes the mirror of a sandbox that was just made from the whole bundle on stdin, and the clone. One program and not one
 * for each step, because each is a journey. Beside that it looks for the agent's program, in the image or where one was
 * sent, and prints `path <path>`, `key <what tells this file from others>`, and what it says of its version unless the key is
 * the known one.
 */
export const FILL_SCRIPT = String.raw`
set -u
mirror=$1 scratch=$2 incoming=$3 commit=$4 shallow=$5 program=$6 sent=$7 known=$8
shift 8
{ [ -e "$mirror" ] || [ -e "$scratch" ]; } && exit ${NOT_EMPTY}
cat > "$incoming" || exit 68
look() {
  path=$(command -v -- "$program" 2>/dev/null)
  case $path in
    /*) ;;
    *) path=; [ -x "$sent" ] && path=$sent ;;
  esac
  key=
  [ -z "$path" ] || key=$(ls -lniL -- "$path" 2>/dev/null)
  printf 'path %s
key %s
' "$path" "$key"
  [ -z "$path" ] || { [ -n "$key" ] && [ "$key" = "$known" ]; } || "$path" --version
}
[ -z "$program" ] || look > "$incoming.agent" 2>&1 < /dev/null &
(
  ${GIT_ENVIRONMENT}
  command -v git >/dev/null || { echo 'git is missing' >&2; exit 127; }
  git init --bare --quiet --template= "$mirror" || exit 68
  [ -z "$shallow" ] || printf '%s
' "$shallow" > "$mirror/shallow" || exit 68
  git --git-dir="$mirror" bundle unbundle "$incoming" > /dev/null || exit 67
  git --git-dir="$mirror" update-ref "refs/sandpiper/brought/$commit" "$commit" || exit 66
  : > "$mirror/ready"
) && "$@"
code=$?
wait
rm -f "$incoming"
[ -z "$program" ] || { cat "$incoming.agent"; rm -f "$incoming.agent"; }
exit "$code"
`;

/** What FILL_SCRIPT saw of the agent's program. `said` is undefined when it is the known one. */
export function parseLook(stdout: string): { path: string | undefined; key: string; said: string | undefined } {
  const [path = '', key = '', ...said] = stdout.split('\n');
  const known = said.join('\n').trim();
  return {
    path: path.startsWith('path /') ? path.slice('path '.length) : undefined,
    key: key.startsWith('key ') ? key.slice('key '.length) : '',
    said: known === '' ? undefined : known,
  };
}

/** Reads what ASK_SCRIPT printed. */
export function parsePresent(stdout: string): Set<string> {
  return new Set(stdout.split('\n').filter(isCommitId));
}
