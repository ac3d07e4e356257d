/** Keeps a container up and collects what programs leave behind; needs nothing but sh and sleep. */
export const IDLE_PROGRAM = ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done"] as const;
