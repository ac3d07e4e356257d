import { MARKER } from '../local/processTable.ts';

/** Exit codes of the script that are not a program's; `STDERR` then says so. */
export const PROGRAM_EXIT = { notAlive: 70, hangs: 71, noFolder: 72, notStarted: 73, conflict: 75 } as const;

/** What stands in stderr when the folder to run in is not there: the code alone could be the program's own. */
export const NO_FOLDER = 'sandpiper: no such folder\n';

/**
 * POSIX sh with /proc: runs and ends programs in a sandbox. Every process that a program starts inherits its mark, also in
 * sessions and groups of their own, and so is found again by whoever knows the mark.
 *
 *   exec  MARK KEEP STOPPED CWD ARGV... to its end; then what it left running is killed
 *   start MARK KEEP RECORD CWD ARGV...  detached, its output discarded; refuses (75) while it is alive
 *   alive RECORD
 *   kill  MARK RECORD STOPPED           with all its descendants, until none is left
 *
 * MARK is the value of the marking variable; without the `;` at its end it stands for all that begin like it. KEEP names
 * the variables that a program may see. RECORD is a file with the number and the birth of a started program. STOPPED
 * is a file that a kill leaves for a program whose start may still be on its way; it may be empty for kills of others.
 * The script itself carries no mark, so it does not find itself.
 */
export const PROGRAM_SCRIPT = String.raw`
op=$1
shift
unset ${MARKER} CDPATH ENV

# Of a process: sets state, parent and born. A name may have any character in it, also a newline.
look() {
  stat=
  while read -r part; do stat="$stat $part"; done 2>/dev/null <"/proc/$1/stat" || return 1
  [ -n "$stat" ] || return 1
  set -- ${'$'}{stat##*) }
  state=$1 parent=$2 born=${'$'}{20}
}

alive() {
  [ -f "$1" ] && read -r pid birth <"$1" && look "$pid" && [ "$born" = "$birth" ] && [ "$state" != Z ]
}

# Sets found to what carries the mark, descends from that, or was found before.
search() {
  wanted=' '
  for file in $(cd /proc && grep -lsF -e "${MARKER}=$mark" [0-9]*/environ 2>/dev/null); do
    wanted="$wanted${'$'}{file%%/*} "
  done
  found=
  [ "$wanted$known" = '  ' ] && return
  table=
  for folder in /proc/[0-9]*; do
    number=${'$'}{folder#/proc/}
    look "$number" || continue
    case $known in *" $number.$born "*) wanted="$wanted$number " ;; esac
    table="$table $number:$parent:$born:$state"
  done
  grown=yes
  while [ -n "$grown" ]; do
    grown=
    for entry in $table; do
      number=${'$'}{entry%%:*}
      rest=${'$'}{entry#*:}
      case $wanted in *" $number "*) continue ;; esac
      case $wanted in *" ${'$'}{rest%%:*} "*) wanted="$wanted$number " grown=yes ;; esac
    done
  done
  for entry in $table; do
    number=${'$'}{entry%%:*}
    rest=${'$'}{entry#*:*:}
    case $wanted in *" $number "*) ;; *) continue ;; esac
    [ "$number" = $$ ] || [ "$number" = 1 ] || [ "${'$'}{rest#*:}" = Z ] && continue
    found="$found $number"
    case $known in *" $number.${'$'}{rest%%:*} "*) ;; *) known="$known$number.${'$'}{rest%%:*} " ;; esac
  done
}

# In the middle of an exec a process shows neither words nor variables, and so no mark.
changing() {
  for file in $(cd /proc && grep -Ls '' [0-9]*/environ); do
    [ -e "/proc/${'$'}{file%/*}/exe" ] && ! grep -qs '' "/proc/${'$'}{file%/*}/cmdline" && return 0
  done
  return 1
}

# Until two looks in a row find nothing: one alone misses what changes at that moment.
finish() {
  rounds=0 none=
  while [ "$rounds" -le 400 ]; do
    search
    if [ -n "$found" ]; then
      kill -KILL $found 2>/dev/null
      none=
    elif [ -n "$none" ]; then
      return 0
    elif ! changing; then
      none=yes
      continue
    fi
    rounds=$((rounds + 1))
    sleep 0.02 2>/dev/null || sleep 1
  done
  [ -z "$found" ]
}

# Nothing but what is named is seen by the program. Values with line breaks give names that are none: no harm.
clean() {
  for name in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
    case " $keep " in *" $name "*) ;; *) unset "$name" 2>/dev/null ;; esac
  done
}

known=' '
case $op in
  exec)
    mark=$1 keep=$2 stopped=$3 cwd=$4
    shift 4
    clean
    cd "$cwd" 2>/dev/null || {
      printf '${NO_FOLDER.replace('\n', String.raw`\n`)}' >&2
      exit ${PROGRAM_EXIT.noFolder}
    }
    (
      ${MARKER}=$mark
      export ${MARKER}
      # Carries its mark before it looks, and a kill looks for the mark after it left the file: one of both sees the other.
      exec sh -c '[ -e "$1" ] && exit ${PROGRAM_EXIT.notStarted}; shift; exec "$@"' sh "$stopped" "$@"
    )
    code=$?
    finish </dev/null >/dev/null 2>&1
    exit "$code"
    ;;
  start)
    mark=$1 keep=$2 record=$3 cwd=$4
    shift 4
    alive "$record" && exit ${PROGRAM_EXIT.conflict}
    finish || exit ${PROGRAM_EXIT.hangs}
    mkdir -p "${'$'}{record%/*}" && rm -f "$record" || exit ${PROGRAM_EXIT.notStarted}
    clean
    cd "$cwd" 2>/dev/null || exit ${PROGRAM_EXIT.noFolder}
    apart=$(command -v setsid)
    # Comes to an end when the program stands: its output goes elsewhere then.
    : "$(
      ${MARKER}=$mark
      export ${MARKER}
      $apart sh -c '
        record=$1
        shift
        read -r stat <"/proc/$$/stat"
        set -- "${'$'}{stat##*) }" "$@"
        words() { born=${'$'}{20}; }
        words $1
        shift
        printf "%s %s\n" "$$" "$born" >"$record.new" && mv -f "$record.new" "$record" || exit 1
        exec "$@" >/dev/null 2>&1' sh "$record" "$@" </dev/null 2>/dev/null &
    )"
    [ -f "$record" ] || exit ${PROGRAM_EXIT.notStarted}
    ;;
  alive)
    alive "$1" || exit ${PROGRAM_EXIT.notAlive}
    ;;
  kill)
    mark=$1 record=$2 stopped=$3
    [ -z "$stopped" ] || { mkdir -p "${'$'}{stopped%/*}" && : >"$stopped"; } 2>/dev/null
    [ -f "$record" ] && read -r pid birth <"$record" && known=" $pid.$birth "
    finish || exit ${PROGRAM_EXIT.hangs}
    rm -f "$record"
    ;;
esac
exit 0
`;
