#!/bin/sh
# sh agent-run.sh DIR EPOCH -- CMD...
#
# Runs CMD once, in the foreground, with a file journal in DIR. POSIX sh only.
#   DIR/in/EPOCH/               what the relay with this epoch gives; ten digits. The highest folder there is counts alone,
#                               so a relay that was taken over from is not heard, whatever it still writes
#   DIR/in/EPOCH/000001, ...    what CMD reads on its stdin, each written whole by rename; a number is read once, from
#                               whichever epoch: the same number has the same content in all
#   DIR/in/EPOCH/eof            ends the input, after every numbered file that stands
#   DIR/wake                    FIFO: one line makes the feeder look at once
#   DIR/out, DIR/err            CMD's output, appended
#   DIR/pid, DIR/exit           CMD's process id and exit code (128 + n after signal n), by rename
#   DIR/over                    CMD has ended, and the helpers are to end
#   DIR/started                 made first; whoever finds it made does nothing
# EPOCH is that of the relay that starts CMD; under the claim of a higher one nothing is started (75).

D=$1
E=$2
[ $# -ge 2 ] && shift 2
[ "$1" = -- ] && shift
case $E in
  '' | *[!0-9]*) E= ;;
esac
if [ -z "$D" ] || [ -z "$E" ] || [ $# -eq 0 ]; then
  echo 'usage: sh agent-run.sh DIR EPOCH -- CMD...' >&2
  exit 64
fi

# Sets I to the folder of the highest epoch. Without a fork: it is done between a wake and its message. Digits sort alike
# in every locale.
highest() {
  for I in "$D"/in/[0-9]*; do :; done
}

mkdir -p "$D/in/$E" || exit 73
highest
[ "$I" = "$D/in/$E" ] || exit 75
mkdir "$D/started" 2>/dev/null || exit 0
mkfifo "$D/stdin" "$D/wake" || exit 73
: >>"$D/out"
: >>"$D/err"

# Both helpers run their programs in the background, so that TERM ends them and the program at once: what survived CMD
# could hold its files open. Where they may block by themselves TERM has its default effect, which nothing delays. One that
# comes just as its trap is taken away has no effect at all: DIR/over, which stands before it is sent, is looked at then.

feed() {
  # Open for both, the FIFO has no end of file when the last waker closes it, and opening does not wait.
  exec 3<>"$D/wake"
  n=1
  number=000001
  while :; do
    highest
    f=$I/$number
    if [ -f "$f" ]; then
      child=
      trap '[ -n "$child" ] && kill "$child" 2>/dev/null; exit 0' TERM
      cat "$f" 3<&- &
      child=$!
      wait "$child"
      trap - TERM
      [ -e "$D/over" ] && return
      n=$((n + 1))
      # A fork, so it is done here and not between a wake and its message.
      number=$(printf '%06d' "$n")
    elif [ -e "$I/eof" ]; then
      # An input, or a higher epoch, may have come between the two looks.
      last=$I
      highest
      [ "$I" != "$last" ] || [ -f "$f" ] || return
    else
      read -r line <&3
    fi
  done
}

# The net below wake: a look every two seconds whatever happens. Each is a fork, so not more often.
tick() {
  exec 3<>"$D/wake"
  while :; do
    child=
    trap '[ -n "$child" ] && kill "$child" 2>/dev/null; exit 0' TERM
    sleep 2 3<&- &
    child=$!
    wait "$child"
    trap - TERM
    [ -e "$D/over" ] && return
    echo >&3
  done
}

feed >"$D/stdin" 2>/dev/null </dev/null &
feeder=$!
tick >/dev/null 2>&1 </dev/null &
ticker=$!

# Before CMD runs, or a signal in between would end the script and not CMD.
cmd=
signalled=
trap 'signalled=TERM; [ -n "$cmd" ] && kill -TERM "$cmd" 2>/dev/null' TERM INT
trap 'signalled=HUP; [ -n "$cmd" ] && kill -HUP "$cmd" 2>/dev/null' HUP

"$@" <"$D/stdin" >>"$D/out" 2>>"$D/err" &
cmd=$!
[ -n "$signalled" ] && kill -"$signalled" "$cmd" 2>/dev/null
echo "$cmd" >"$D/pid.tmp" && mv "$D/pid.tmp" "$D/pid"

# A signal ends wait early with a code of its own; the next wait gives CMD's, or 127 if it had already been given.
last=
while :; do
  signalled=
  wait "$cmd"
  code=$?
  if [ "$code" -eq 127 ] && [ -n "$last" ]; then
    code=$last
  elif [ -n "$signalled" ]; then
    last=$code
    continue
  fi
  break
done

true 2>/dev/null >"$D/over"
kill "$feeder" "$ticker" 2>/dev/null
wait "$feeder" "$ticker" 2>/dev/null
echo "$code" >"$D/exit.tmp" && mv "$D/exit.tmp" "$D/exit"
exit 0
