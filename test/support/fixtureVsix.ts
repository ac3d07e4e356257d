import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { quietly } from '../../scripts/package/quietly.ts';
import { repositoryFolder } from '../../scripts/setup/need.ts';

/** The smallest extension that uses each thing the harness handles. */
export const dummyExtension = join(repositoryFolder, 'test/fixtures/editor/dummy');

/** Another extension of the user's, with a model for the editor's chat. */
export const neighbourExtension = join(repositoryFolder, 'test/fixtures/editor/neighbour');

/** Packs an extension of the fixtures as a VSIX at this path. */
export async function packFixture(folder: string, path: string): Promise<void> {
  await quietly(() =>
    createVSIX({
      cwd: folder,
      packagePath: path,
      dependencies: false,
      allowMissingRepository: true,
      skipLicense: true,
    }),
  );
}
