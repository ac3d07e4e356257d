#!/bin/sh
# Stands in for Claude Code in `sandpiper chaos`: the same stream-json on stdin and stdout, the same conversation on disk,
# the same treatment of a message that comes twice, with the work that the message itself describes (work.ts) in place of
# a model. A shell script, because nothing else is in every sandbox, and because hundreds must start in little time.

session= resume= asks=
for word in "$@"; do
  case $word in
    --version)
      echo '2.1.328 (Claude Code, played by sandpiper chaos)'
      exit 0
      ;;
    --session-id=*) session=${word#*=} ;;
    --resume=*) session=${word#*=} resume=1 ;;
    --permission-mode=default) asks=1 ;;
  esac
done

store=$CLAUDE_CONFIG_DIR/projects/$(printf %s "$PWD" | tr -c 'A-Za-z0-9' '-')
mkdir -p "$store" || exit 1
conversation=$store/$session.jsonl
# As Claude Code does: a conversation is begun once, and only one that there is can be resumed.
if [ -n "$resume" ] && [ ! -e "$conversation" ]; then
  echo "No conversation found with session ID: $session" >&2
  exit 1
elif [ -z "$resume" ] && [ -e "$conversation" ]; then
  echo "Error: Session ID $session is already in use." >&2
  exit 1
fi
# Ids differ from those of earlier processes of the conversation, also when their sandbox is gone.
echo start >>"$store/starts"
starts=$(date +%s)x$(grep -c start "$store/starts")

say() { printf '%s\n' "$1"; }

# event JSON: a piece of the model's answer as it comes.
event() { say '{"type":"stream_event","event":'"$1"',"parent_tool_use_id":null,"session_id":"'"$session"'"}'; }

# block INDEX CONTENT: a block of the model's answer that is done.
block() {
  event '{"type":"content_block_stop","index":'"$1"'}'
  say '{"type":"assistant","message":{"id":"'"$message"'","type":"message","role":"assistant","model":"stand-in","content":['"$2"']},"parent_tool_use_id":null,"session_id":"'"$session"'"}'
}

# answer TEXT [TOOL-JSON]: one whole answer of the model.
answer() {
  event '{"type":"message_start","message":{"id":"'"$message"'"}}'
  event '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'
  event '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'"${1% *}"'"}}'
  event '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" '"${1##* }"'"}}'
  block 0 '{"type":"text","text":"'"$1"'"}'
  if [ -n "$2" ]; then
    event '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"'"$tool"'","name":"Bash","input":{}}}'
    block 1 "$2"
  fi
  event '{"type":"message_stop"}'
}

state() { say '{"type":"system","subtype":"session_state_changed","state":"'"$1"'","session_id":"'"$session"'"}'; }

# result TEXT IS-ERROR [MORE-JSON]
result() {
  say '{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"'"$tool"'","content":"'"$1"'","is_error":'"$2"'}]},'"$3"'"parent_tool_use_id":null,"session_id":"'"$session"'"}'
}

# acknowledge INTERRUPT
acknowledge() {
  interrupt=${1#*'"request_id":"'} interrupt=${interrupt%%'"'*}
  say '{"type":"control_response","response":{"subtype":"success","request_id":"'"$interrupt"'","response":{}}}'
}

# Asks whether the tool may run. 0: yes, 1: no, 2: the input ended, 3: the turn is to end.
permitted() {
  request=ask_$key
  say '{"type":"control_request","request_id":"'"$request"'","request":{"subtype":"can_use_tool","tool_name":"Bash","display_name":"Bash","input":{"command":"'"$command"'"},"tool_use_id":"'"$tool"'"}}'
  state requires_action
  while read -r reply; do
    case $reply in
      *'"type":"control_response"'*'"request_id":"'"$request"'"'*)
        say "$reply"
        state running
        case $reply in *'"behavior":"allow"'*) return 0 ;; *) return 1 ;; esac
        ;;
      *'"subtype":"interrupt"'*)
        acknowledge "$reply"
        return 3
        ;;
    esac
  done
  return 2
}

# turn UUID TEXT STEP: from after this step.
turn() {
  short=${1%%-*}${1##*-}
  number=${2#*chaos m=} number=${number%% *}
  tools=${2#*tools=} tools=${tools%% *}
  pace=${2#*pace=} pace=${pace%%[!0-9.]*}
  # On disk before it is echoed: the echo says that it will not be forgotten.
  grep -q '"uuid":"'"$1"'"' "$conversation" 2>/dev/null || echo '{"type":"user","uuid":"'"$1"'","text":"'"$2"'"}' >>"$conversation"
  state running
  say '{"type":"system","subtype":"init","cwd":"'"$PWD"'","session_id":"'"$session"'","model":"stand-in","tools":["Bash"]}'
  say '{"type":"user","message":{"role":"user","content":"'"$2"'"},"session_id":"'"$session"'","parent_tool_use_id":null,"uuid":"'"$1"'","isReplay":true}'
  step=$3
  while [ "$step" -lt "$tools" ]; do
    step=$((step + 1))
    key=${starts}_${short}_$step
    message=msg_$key tool=toolu_$key
    command="echo '$tool $number.$step' >> chaos-$((number % 3)).txt"
    answer "Step $step of $tools." '{"type":"tool_use","id":"'"$tool"'","name":"Bash","input":{"command":"'"$command"'"}}'
    verdict=0
    if [ -n "$asks" ]; then
      permitted
      verdict=$?
    fi
    case $verdict in
      0)
        # A process of its own, like a real tool's: killing the agent alone leaves it.
        (sleep "$pace" && eval "$command")
        result '(Bash completed with no output)' false
        ;;
      1) result 'The user does not want this.' true ;;
      2) exit 0 ;;
      3)
        result 'The user stopped it.' true '"tool_use_result":{"interrupted":true},'
        echo '{"type":"assistant","of":"'"$1"'","ended":true}' >>"$conversation"
        say '{"type":"result","subtype":"error_during_execution","is_error":true,"result":"stopped","num_turns":1,"duration_ms":1,"stop_reason":null,"terminal_reason":"aborted_tools","session_id":"'"$session"'"}'
        state idle
        return
        ;;
    esac
    echo '{"type":"assistant","of":"'"$1"'","step":'"$step"'}' >>"$conversation"
  done
  echo '{"type":"assistant","of":"'"$1"'","ended":true}' >>"$conversation"
  message=msg_${starts}_${short}_end
  remembered=$(grep -o '"text":"chaos m=[0-9]*' "$conversation" | tr -cd '0-9\n' | tr '\n' '.')
  answer "Message $number is done. Remembered: $remembered" ''
  say '{"type":"result","subtype":"success","is_error":false,"result":"done","num_turns":1,"duration_ms":1,"stop_reason":"end_turn","terminal_reason":"completed","session_id":"'"$session"'"}'
  state idle
}

# A turn that was cut off goes on where it was, when that is asked for.
if [ -n "$CLAUDE_CODE_RESUME_INTERRUPTED_TURN" ]; then
  begun=$(grep '"type":"user"' "$conversation" | tail -n 1)
  uuid=${begun#*'"uuid":"'} uuid=${uuid%%'"'*}
  text=${begun#*'"text":"'} text=${text%%'"'*}
  if [ -n "$begun" ] && ! grep -q '"of":"'"$uuid"'","ended"' "$conversation"; then
    turn "$uuid" "$text" "$(grep -c '"of":"'"$uuid"'","step"' "$conversation")"
  fi
fi

while read -r line; do
  case $line in
    '{"type":"user",'*)
      uuid=${line#*'"uuid":"'} uuid=${uuid%%'"'*}
      # A review has more than what it asks for, with characters that would have to be escaped.
      text=${line#*'chaos m='} pace=${text#*'pace='}
      text="chaos m=${text%% *} tools=${text#*'tools='}"
      text="${text%% pace=*} pace=${pace%%[!0-9.]*}"
      if [ -e "$conversation" ] && grep -q '"uuid":"'"$uuid"'"' "$conversation"; then
        say '{"type":"user","message":{"role":"user","content":""},"session_id":"'"$session"'","parent_tool_use_id":null,"uuid":"'"$uuid"'","isReplay":true}'
      else
        turn "$uuid" "$text" 0
      fi
      ;;
    *'"subtype":"interrupt"'*)
      acknowledge "$line"
      ;;
  esac
done
