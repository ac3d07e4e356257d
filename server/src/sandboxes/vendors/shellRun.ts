import { SandpiperError } from '../../../../protocol/errors.ts';
import type { ExecResult } from '../provider.ts';
import { VendorFailure } from './vendorFailure.ts';

/*
 * A run of a program told as the text of one shell command, for vendors that take text and give text, mix stdout with
 * stderr, cut long answers and lose short ones. The run has a name. The command begins the run if none has that name, waits
 * a while for its end and prints what came of it; so it can be sent again whenever the answer was not whole, and never runs
 * the program twice.
 */

export interface ShellRun {
  /** Unique; letters, digits and `-`. */
  name: string;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Where the run's input is: in the command itself, or in a file that is there already and is taken away. */
  stdin: { bytes: Uint8Array } | { path: string } | undefined;
  maxOutputBytes: number;
  /** Runs whose outcome the relay has. */
  finished: readonly string[];
  /** Folders that must be there, the user's alone, before anything runs. */
  folders?: readonly string[];
}

/** Where the runs of a sandbox are kept while they last. */
const RUNS = String.raw`${'$'}{TMPDIR:-/tmp}/.sandpiper-runs`;
/** A command line has an end, at 128 KiB on Linux. */
export const MAX_INLINE_BYTES = 48 * 1024;
/** Proxies between here and there cut what is silent for much longer. */
const WAIT_SECONDS = 20;

const DETACHED = String.raw`
d=$1 limit=$2
run() {
  sh "$d/program" <"$d/in" 2>&3 3>&- 4>&-
  echo "$?" >&4
}
code=$({ { run | head -c "$limit" >"$d/out"; } 3>&1 | head -c "$limit" >"$d/err"; } 4>&1)
echo "$code" >"$d/code.new" && mv "$d/code.new" "$d/code"
read -r sleeper <"$d/sleeper" && kill "$sleeper"
`;

export function shellRunCommand(run: ShellRun): string {
  const env = Object.entries(run.env).map(([name, value]) => `${name}=${value}`);
  const program = `exec ${['env', '-i', ...env, ...run.argv].map(quote).join(' ')}\n`;
  return `
umask 077
${folderLines(run)}
runs=${RUNS}
d=$runs/${run.name}
mkdir -p "$runs"
if mkdir "$d" 2>/dev/null; then
${heldFile('program', run.name, Buffer.from(program))}
${stdinLines(run)}
  $(command -v setsid) sh -c ${quote(DETACHED)} sandpiper "$d" ${run.maxOutputBytes + 1} </dev/null >/dev/null 2>&1 &
fi
[ -d "$d" ] || { echo "${run.name} failed"; exit 0; }
sleep ${WAIT_SECONDS} &
echo $! >"$d/sleeper"
[ -f "$d/code" ] && kill $!
wait $! 2>/dev/null
if [ -f "$d/code" ]; then
  printf '\n%s ended %s\n' ${run.name} "$(cat "$d/code")"
  base64 -w 0 <"$d/out"; echo
  base64 -w 0 <"$d/err"
  printf '\n%s whole\n' ${run.name}
else
  printf '\n%s runs\n' ${run.name}
fi
${run.finished.length === 0 ? '' : `rm -rf ${run.finished.map(name => `"$runs/${name}"`).join(' ')}`}
exit 0
`;
}

function folderLines({ name, folders = [] }: ShellRun): string {
  const list = folders.map(quote).join(' ');
  return folders.length === 0
    ? ''
    : `why=$({ mkdir -p ${list} && chmod 700 ${list}; } 2>&1) || { echo "${name} unprepared $why"; exit 0; }`;
}

function stdinLines({ name, stdin }: ShellRun): string {
  if (stdin === undefined) {
    return '  : >"$d/in"';
  }
  return 'path' in stdin ? `  mv -f ${quote(stdin.path)} "$d/in"` : heldFile('in', name, stdin.bytes);
}

/** Encoded, also so that a list of processes in the sandbox does not show what the relay does there, and with what. */
function heldFile(file: string, end: string, bytes: Uint8Array): string {
  return `  base64 -d >"$d/${file}" <<'${end}'\n${Buffer.from(bytes).toString('base64')}\n${end}`;
}

/**
 * What the command printed. Undefined: the program still runs, the command is to be sent again.
 * @throws `too_large`; `sandbox_unavailable` when its folders cannot be made; a VendorFailure `broken` when the text is not whole
 */
export function shellRunOutcome(run: ShellRun, text: string): ExecResult | undefined {
  const lines = text.split('\n').map(line => line.replace(/\r$/, ''));
  const ended = lines.findIndex(line => line.startsWith(`${run.name} ended `));
  if (ended < 0) {
    if (lines.includes(`${run.name} runs`)) {
      return undefined;
    }
    const unprepared = `${run.name} unprepared`;
    const why = lines
      .find(line => line.startsWith(unprepared))
      ?.slice(unprepared.length)
      .trim();
    if (why !== undefined) {
      throw new SandpiperError('sandbox_unavailable', `The sandbox cannot be prepared: ${why.slice(0, 300)}`, {
        hint: `Check that the user of its image may write to ${(run.folders ?? []).join(', ')}.`,
      });
    }
    throw lines.includes(`${run.name} failed`)
      ? new VendorFailure('diskFull', 'nothing can be written in it')
      : new VendorFailure('broken', 'its answer was cut');
  }
  const [, out = '', err = '', whole] = lines.slice(ended);
  const code = Number(lines[ended]?.split(' ')[2]);
  if (whole !== `${run.name} whole` || !Number.isInteger(code)) {
    throw new VendorFailure('broken', 'its answer was cut');
  }
  const stdout = Buffer.from(out, 'base64');
  const stderr = Buffer.from(err, 'base64');
  if (stdout.length + stderr.length > run.maxOutputBytes) {
    throw new SandpiperError('too_large', `A program in the sandbox wrote more than ${run.maxOutputBytes} bytes.`, {
      hint: 'Let it write less, or into a file.',
    });
  }
  return { code, stdout, stderr };
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
