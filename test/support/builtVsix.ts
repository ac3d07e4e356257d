import { run } from '../../scripts/setup/command.ts';
import { repositoryFolder } from '../../scripts/setup/need.ts';

/** The VSIX that users get: the one `npm test` has made, or one made now when a file of tests is run alone. */
export async function builtVsix(): Promise<string> {
  const made = process.env['SANDPIPER_VSIX'];
  if (made) {
    return made;
  }
  const { code, output } = await run(process.execPath, ['scripts/package.ts', '--quiet'], {
    cwd: repositoryFolder,
    timeoutMs: 300_000,
  });
  const path = output.trim().split('\n').at(-1);
  if (code !== 0 || !path) {
    throw new Error(`The extension could not be packaged:\n${output}`);
  }
  return path;
}
