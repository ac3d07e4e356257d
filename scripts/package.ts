import { setUpSqlite } from './setup/sqlite.ts';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createVSIX } from '@vscode/vsce';
import { z } from 'zod';
import { checkContents } from './package/checkContents.ts';
import { quietly } from './package/quietly.ts';
import { readZip } from './package/zipEntries.ts';
import { runOrThrow } from './setup/command.ts';
import { repositoryFolder } from './setup/need.ts';

/*
 * `npm run package`: the VSIX for this platform, with the relay and its SQLite binary inside, in dist/vsix/. It packs a folder
 * that holds only what users get, then opens the result again and checks what really is in it.
 *   --target this           the default: this platform, whose binary npm installed; its name (linux-x64, ...) does as well
 *   --target universal      without the binary; the relay inside uses node:sqlite, or a relay elsewhere is used
 *   --target all-that-can   both
 *   --quiet                 print the paths only
 */

const BUDGET_BYTES = 3 * 1024 * 1024;

/** Copied as they are when they exist. */
const FILES = ['README.md', 'CHANGELOG.md', 'LICENSE', 'media', 'l10n', '.vscodeignore'];

/** Parts of package.json that mean nothing to an installed extension. */
const DEVELOPMENT_ONLY = new Set(['scripts', 'allowScripts', 'dependencies', 'devDependencies', 'private']);

const { values } = parseArgs({
  options: { target: { type: 'string' }, quiet: { type: 'boolean', default: false } },
});

const here = platformTarget();
const asked = values.target === undefined || values.target === 'this' ? here : values.target;
const targets = asked === 'all-that-can' ? [here, 'universal'] : [asked];
if (targets.some(target => target !== here && target !== 'universal')) {
  console.error(
    `Cannot package for ${asked}: npm installed the SQLite binary for ${here} only. ` +
      'Run this on that platform (the package job in .github/workflows/ci.yml does).',
  );
  process.exit(2);
}

await setUpSqlite(line => console.error(line));
await runOrThrow(process.execPath, ['esbuild.mjs', '--production'], { cwd: repositoryFolder });
for (const target of targets) {
  await packageFor(target);
}

async function packageFor(target: string): Promise<void> {
  const withSqlite = target !== 'universal';
  const stage = await mkdtemp(join(tmpdir(), 'sandpiper-vsix-'));
  try {
    const manifest = await fillStage(stage, withSqlite);
    const folder = join(repositoryFolder, 'dist/vsix');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${manifest.name}-${manifest.version}-${target}.vsix`);
    await quietly(() =>
      createVSIX({
        cwd: stage,
        packagePath: path,
        dependencies: false,
        allowMissingRepository: true,
        // The manifest names no public repository that the links of the README could be made to point to.
        rewriteRelativeLinks: false,
        ...(withSqlite && { target }),
      }),
    );
    const problems = checkContents(readZip(await readFile(path)), foreignTexts(), withSqlite);
    const { size } = await stat(path);
    if (size > BUDGET_BYTES) {
      problems.push(`it has ${megabytes(size)}, more than the ${megabytes(BUDGET_BYTES)} it may have`);
    }
    if (problems.length > 0) {
      await rm(path);
      throw new Error(`The VSIX for ${target} is not fit for users:\n${problems.map(text => `  ${text}`).join('\n')}`);
    }
    console.log(values.quiet ? path : `${path}  ${megabytes(size)} of ${megabytes(BUDGET_BYTES)}`);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function fillStage(stage: string, withSqlite: boolean) {
  const texts = (await readdir(repositoryFolder)).filter(name => /^package\.nls(\.[\w-]+)?\.json$/.test(name));
  for (const file of [...FILES, ...texts].filter(name => existsSync(join(repositoryFolder, name)))) {
    await cp(join(repositoryFolder, file), join(stage, file), { recursive: true });
  }
  for (const bundle of ['extension', 'webview', 'server', 'chaos']) {
    await cp(join(repositoryFolder, 'dist', bundle), join(stage, 'dist', bundle), { recursive: true });
  }
  if (!withSqlite) {
    await rm(join(stage, 'dist/server/node_sqlite3.node'), { force: true });
  }
  const manifest = z
    .looseObject({ name: z.string(), version: z.string() })
    .parse(JSON.parse(await readFile(join(repositoryFolder, 'package.json'), 'utf8')));
  const shipped = Object.entries(manifest).filter(([key]) => !DEVELOPMENT_ONLY.has(key));
  await writeFile(join(stage, 'package.json'), JSON.stringify(Object.fromEntries(shipped), undefined, 2));
  return manifest;
}

/** VS Code's name for this machine's platform. */
function platformTarget(): string {
  const isMusl = process.platform === 'linux' && existsSync('/etc/alpine-release');
  return `${isMusl ? 'alpine' : process.platform}-${process.arch === 'arm' ? 'armhf' : process.arch}`;
}

/** What would tell about this machine or open its accounts. */
function foreignTexts(): string[] {
  const secrets = Object.entries(process.env)
    .filter(([name]) => /(TOKEN|SECRET|PASSWORD|API_KEY)$/.test(name))
    .map(([, value]) => value ?? '');
  const home = homedir();
  // Root's home is a word that occurs in honest text.
  return [repositoryFolder, ...(home === '/root' ? [] : [home]), ...secrets].filter(text => text.length >= 6);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}
