#!/bin/sh
# sh agent-run.sh DIR -- CMD...
#
# Runs CMD once, in the foreground, with a file journal in DIR. POSIX sh only.
#   DIR/in/000001, 000002, ...  what CMD reads on its stdin, each written whole by rename; a number is read once
#   DIR/in/eof                  ends the input, after every numbered file that stands
#   DIR/wake                    FIFO: one line makes the feeder look at once
#   DIR/out, DIR/err            CMD's output, appended
#   DIR/pid, DIR/exit           CMD's process id and exit code (128 + n after signal n), by rename
#   DIR/started                 made first; whoever finds it made does nothing
# Fencing of inputs by an epoch belongs into feed(), before an input is passed on.

D=$1
shift
[ "$1" = -- ] && shift
if [ -z "$D" ] || [ $# -eq 0 ]; then
  echo 'usage: sh agent-run.sh DIR -- CMD...' >&2
  exit 64
fi

mkdir -p "$D/in" || exit 73
mkdir "$D/started" 2>/dev/null || exit 0
mkfifo "$D/stdin" "$D/wake" || exit 73
: >>"$D/out"
: >>"$D/err"

# Both helpers run their programs in the background, so that TERM ends them and the program at once: what survived CMD
# could hold its files open. Where they may block by themselves TERM has its default effect, which nothing delays.

feed() {
  # Open for both, the FIFO has no end of file when the last waker closes it, and opening does not wait.
  exec 3<>"$D/wake"
  n=1
  f=$D/in/000001
  while :; do
    if [ -f "$f" ]; then
      child=
      trap '[ -n "$child" ] && kill "$child" 2>/dev/null; exit 0' TERM
      cat "$f" 3<&- &
      child=$!
      wait "$child"
      trap - TERM
      n=$((n + 1))
      # A fork, so it is done here and not between a wake and its message.
      f=$(printf '%s/in/%06d' "$D" "$n")
    elif [ -e "$D/in/eof" ]; then
      # An input may have come between the two looks.
      [ -f "$f" ] || return
    else
      read -r line <&3
    fi
  done
}

# The net below wake: a look every half second whatever happens.
tick() {
  exec 3<>"$D/wake"
  pause=0.5
  sleep 0.01 2>/dev/null || pause=1
  while :; do
    child=
    trap '[ -n "$child" ] && kill "$child" 2>/dev/null; exit 0' TERM
    sleep "$pause" 3<&- &
    child=$!
    wait "$child"
    trap - TERM
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

kill "$feeder" "$ticker" 2>/dev/null
wait "$feeder" "$ticker" 2>/dev/null
echo "$code" >"$D/exit.tmp" && mv "$D/exit.tmp" "$D/exit"
exit 0
