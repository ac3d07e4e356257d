import { join } from 'node:path';
import { runOrThrow } from '../../scripts/setup/command.ts';
import { repositoryFolder } from '../../scripts/setup/need.ts';

let building: Promise<string> | undefined;

/** What users get, in dist/: minified bundles and the VSIX. Built once in a run. Resolves with the VSIX's path. */
export function buildProduct(): Promise<string> {
  building ??= runOrThrow(process.execPath, ['scripts/package.ts', '--quiet'], {
    cwd: repositoryFolder,
    timeoutMs: 300_000,
  }).then(output => output.trim().split('\n').at(-1) ?? '');
  return building;
}

export const distFolder = join(repositoryFolder, 'dist');
