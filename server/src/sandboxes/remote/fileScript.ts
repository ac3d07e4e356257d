/** Exit codes of the script. */
export const FILE_EXIT = { missing: 44, refused: 45, cut: 46, failed: 47, rootGone: 48 } as const;

/**
 * POSIX sh: the files of a sandbox, from inside. Links are not followed: each folder on the way is entered by itself and
 * must be where it says.
 *
 *   write ROOT REST MODE BYTES   from stdin, whole, by rename; makes parent folders
 *   read  ROOT REST FIRST BYTES  to stdout, from the byte FIRST (1 is the first)
 *   wake  ROOT REST              one newline into a FIFO
 */
export const FILE_SCRIPT = String.raw`
op=$1 root=$2 rest=$3
unset CDPATH
cd -P "$root" 2>/dev/null || exit ${FILE_EXIT.rootGone}
here=$PWD
while :; do
  case $rest in */*) ;; *) break ;; esac
  part=${'$'}{rest%%/*}
  rest=${'$'}{rest#*/}
  if [ -L "./$part" ] || [ ! -d "./$part" ]; then
    [ "$op" = write ] || exit ${FILE_EXIT.missing}
    [ -L "./$part" ] || [ -e "./$part" ] && exit ${FILE_EXIT.refused}
    # Another call may have made it just now.
    mkdir "./$part" 2>/dev/null || [ -d "./$part" ] || exit ${FILE_EXIT.failed}
  fi
  cd -P "./$part" 2>/dev/null || exit ${FILE_EXIT.missing}
  here=$here/$part
  [ "$PWD" = "$here" ] || exit ${FILE_EXIT.refused}
done
file=./$rest
case $op in
  write)
    [ -d "$file" ] && [ ! -L "$file" ] && exit ${FILE_EXIT.refused}
    new=./.sandpiper-new-$$
    trap 'rm -f "$new"' EXIT
    umask 077
    rm -f "$new"
    if [ "$5" = 0 ]; then : >"$new"; else head -c "$5" >"$new"; fi || exit ${FILE_EXIT.failed}
    bytes=$(wc -c <"$new") && [ "$bytes" -eq "$5" ] || exit ${FILE_EXIT.cut}
    # Into the folder that a link leads to is not in its place.
    [ -L "$file" ] && rm -f "$file"
    chmod "$4" "$new" && mv -f "$new" "$file" || exit ${FILE_EXIT.failed}
    ;;
  read)
    [ -f "$file" ] && [ ! -L "$file" ] && [ -r "$file" ] || exit ${FILE_EXIT.missing}
    [ "$5" = 0 ] || tail -c "+$4" "$file" | head -c "$5"
    ;;
  wake)
    [ -p "$file" ] && [ ! -L "$file" ] || exit 0
    # Open for both it does not wait for a reader.
    exec 3<>"$file" && echo >&3
    ;;
esac
exit $?
`;

/**
 * POSIX sh: `SECONDS PAUSE LAST FILE...` prints what the files are (inode, size, time) as soon as that is something else than
 * LAST, at the latest after so many seconds.
 */
export const WATCH_SCRIPT = String.raw`
until=$1 pause=$2 last=$3
shift 3
rounds=0
while :; do
  now=$(ls -lind -- "$@" 2>/dev/null)
  [ "$now" = "$last" ] || break
  rounds=$((rounds + 1))
  [ "$rounds" -lt "$until" ] || break
  sleep "$pause" 2>/dev/null || sleep 1
done
printf '%s' "$now"
`;
