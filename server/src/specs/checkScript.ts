/** Of what a check prints the end is kept: there a failure says why. */
export const MAX_CHECK_OUTPUT_BYTES = 256 * 1024;

/**
 * POSIX sh: runs `$1` as a shell command to its end, prints the last bytes of all that it said, and ends with its exit code.
 * The code goes through a file descriptor that the command does not have, so that nothing it starts can say another one.
 */
const SCRIPT = `exec 4>&1
code=$( { { sh -c "$1" </dev/null 3>&- 4>&-; echo $? >&3; } 2>&1 | tail -c ${MAX_CHECK_OUTPUT_BYTES} >&4 3>&-; } 3>&1 )
exit "$code"`;

/** What a sandbox runs for a command of a spec. */
export function checkCommand(command: string): string[] {
  return ['sh', '-c', SCRIPT, 'check', command];
}

/** Programs that ask, watch or draw when a person looks on do none of that. */
export const CHECK_ENV = { CI: '1', NO_COLOR: '1', TERM: 'dumb' } as const;
