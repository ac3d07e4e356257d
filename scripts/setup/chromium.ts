import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { runOrThrow } from './command.ts';
import { cacheFolder, type Missing, type Report } from './need.ts';

/** A Chromium and what its environment needs. */
export interface Chromium {
  program: string;
  env: Record<string, string>;
}

const INSTALLED = {
  linux: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: ['C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'],
};

/** Raise it when this file unpacks differently. */
const RECIPE = 1;

/**
 * The machine's Chromium, or the one unpacked from npm; undefined before setup. SANDPIPER_CHROMIUM names another program, and
 * the word `npm` takes the one from npm on a machine that has its own.
 */
export function findChromium(): Chromium | undefined {
  const chosen = process.env['SANDPIPER_CHROMIUM'];
  const installed = Object.entries(INSTALLED).find(([platform]) => platform === process.platform)?.[1] ?? [];
  const candidates = chosen === undefined ? installed : [chosen];
  const program = candidates.find(path => existsSync(path));
  if (program) {
    return { program, env: {} };
  }
  const folder = unpackedFolder();
  return folder && existsSync(join(folder, 'chromium'))
    ? {
        program: join(folder, 'chromium'),
        env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_FILE: join(folder, 'fonts.conf') },
      }
    : undefined;
}

/** Unpacks Chromium from npm unless the machine has one. */
export async function setUpChromium(report: Report): Promise<Missing | undefined> {
  if (findChromium()) {
    return undefined;
  }
  const source = packageFolder();
  const target = unpackedFolder();
  if (!source || !target) {
    const reason = 'no Chromium or Chrome on this machine, and the one from npm is for Linux on x64 only';
    const command = process.platform === 'linux' ? 'sudo apt-get install -y chromium' : 'install Google Chrome';
    return { need: 'chromium', reason, command };
  }
  report('unpacking Chromium from npm (once, about 200 MB in .cache)');
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), 'unpacking-'));
  try {
    await unpack(join(source, 'bin'), work, target);
    await rename(work, target);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return findChromium() ? undefined : { need: 'chromium', reason, command: 'sudo apt-get install -y chromium' };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function unpack(bin: string, work: string, target: string): Promise<void> {
  for (const archive of ['al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br']) {
    await untar(join(bin, archive), work);
  }
  await unbrotli(join(bin, 'chromium.br'), join(work, 'chromium'));
  await chmod(join(work, 'chromium'), 0o755);
  // The package's own fonts.conf points at folders of another place.
  await writeFile(
    join(work, 'fonts.conf'),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${target}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>${target}/font-cache</cachedir></fontconfig>\n`,
  );
}

async function untar(archive: string, folder: string): Promise<void> {
  const tar = join(folder, 'archive.tar');
  await unbrotli(archive, tar);
  await runOrThrow('tar', ['xf', tar, '-C', folder]);
  await rm(tar);
}

function unbrotli(from: string, to: string): Promise<void> {
  return pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
}

function packageFolder(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return undefined;
  }
  // The package does not export its package.json; its main module stands in build/esm.
  return dirname(dirname(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium')))));
}

function unpackedFolder(): string | undefined {
  const source = packageFolder();
  return source && join(cacheFolder, 'chromium', `${RECIPE}`);
}
