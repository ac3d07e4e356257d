import { execFile } from 'node:child_process';

export interface CommandResult {
  /** Exit code; undefined when the program could not be started or a signal ended it. */
  code: number | undefined;
  /** stdout and stderr, stdout first. */
  output: string;
}

interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
}

/** Runs a program to its end, without a shell. Failure is in the result; it never throws. */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise(resolve => {
    execFile(
      program,
      args,
      {
        cwd: options.cwd,
        env: options.env ?? process.env,
        timeout: options.timeoutMs ?? 60_000,
        maxBuffer: 64 * 1024 * 1024,
        windowsHide: true,
      },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : undefined) : 0;
        const reason = error && code === undefined ? error.message : '';
        resolve({ code, output: `${stdout}${stderr}${reason}` });
      },
    );
  });
}

/** As `run`, but a failure is an error that says what was tried and ends with the first and last lines of output. */
export async function runOrThrow(program: string, args: readonly string[], options: CommandOptions = {}) {
  const { code, output } = await run(program, args, options);
  if (code !== 0) {
    const lines = output.trim().split('\n');
    // Compilers say what is wrong first, package managers last.
    const shown = lines.length > 30 ? [...lines.slice(0, 15), '...', ...lines.slice(-10)] : lines;
    throw new Error(`${program} ${args.join(' ')} failed (${code ?? 'did not run'}):\n${shown.join('\n')}`);
  }
  return output;
}

/**
 * Runs npm to its end. Inside an npm script the running npm is used. What that script's npm says about our own package is
 * kept from it: `npm_config_local_prefix` would make it install into this repository instead of `cwd`.
 */
export function npm(args: readonly string[], cwd: string): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle)_|^npm_config_local_prefix$/i.test(name)),
  );
  const running = process.env['npm_execpath'];
  const options = { cwd, env, timeoutMs: 600_000 };
  return running?.endsWith('.js')
    ? runOrThrow(process.execPath, [running, ...args], options)
    : runOrThrow('npm', args, options);
}
