import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { runOrThrow } from './command.ts';
import { cacheFolder, type Missing, repositoryFolder } from './need.ts';

/** The tests that run inside VS Code's extension host, as CommonJS; `run.cjs` in it exports `run()`. */
export const hostTestsFolder = join(cacheFolder, 'editor-tests');

/** Builds the product's bundles into dist/ and the extension host's tests into .cache/. */
export async function setUpBundles(): Promise<Missing | undefined> {
  try {
    await runOrThrow(process.execPath, ['esbuild.mjs'], { cwd: repositoryFolder });
    await buildHostTests();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { need: 'bundles', reason, command: 'npm run build' };
  }
}

/** VS Code loads tests with `require`, so each file becomes CommonJS with everything but packages inside. */
export async function buildHostTests(): Promise<void> {
  const files = globSync('test/editor/host/*.ts', { cwd: repositoryFolder });
  await build({
    entryPoints: files.map(file => ({ in: join(repositoryFolder, file), out: basename(file, '.ts') })),
    outdir: hostTestsFolder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    sourcemap: 'inline',
    logLevel: 'silent',
  });
}
