import { SandpiperError } from '../../../protocol/errors.ts';

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PROGRAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * A program and its arguments, after it was made sure that every sandbox can be given them.
 * @throws `invalid_params`
 */
export function checkedProgram(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): readonly [string, ...string[]] {
  const [file, ...args] = argv;
  const texts = [...argv, cwd, ...Object.values(env)];
  if (file === undefined || file === '' || texts.some(text => text.includes('\0'))) {
    throw new SandpiperError('invalid_params', 'A program needs a name, and no text given to it may contain NUL.');
  }
  const wrong = Object.keys(env).find(variable => !VARIABLE.test(variable));
  if (wrong !== undefined) {
    throw new SandpiperError('invalid_params', `"${wrong}" is no name of an environment variable.`);
  }
  return [file, ...args];
}

/** The name of a program that is started to last. @throws `invalid_params` */
export function checkedName(name: string): string {
  if (!PROGRAM_NAME.test(name)) {
    throw new SandpiperError('invalid_params', `"${name}" cannot name a program of a sandbox.`);
  }
  return name;
}
