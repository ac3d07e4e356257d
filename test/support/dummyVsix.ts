import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { quietly } from '../../scripts/package/quietly.ts';
import { repositoryFolder } from '../../scripts/setup/need.ts';

/** The smallest extension that uses each thing the harness handles. */
export const dummyExtension = join(repositoryFolder, 'test/fixtures/editor/dummy');

/** Packs it as a VSIX at this path. */
export async function packDummy(path: string): Promise<void> {
  await quietly(() =>
    createVSIX({
      cwd: dummyExtension,
      packagePath: path,
      dependencies: false,
      allowMissingRepository: true,
      skipLicense: true,
    }),
  );
}
