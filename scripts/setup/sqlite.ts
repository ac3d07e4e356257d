import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { run } from './command.ts';
import { repositoryFolder, type Missing, type Report } from './need.ts';

const packageFolder = join(repositoryFolder, 'node_modules/sqlite3');

/** The binary of the sqlite3 package, or undefined where it could not be had; the relay then uses node:sqlite. */
export function findSqliteBinary(): string | undefined {
  const path = join(packageFolder, 'build/Release/node_sqlite3.node');
  return existsSync(path) ? path : undefined;
}

/**
 * Gets the binary of the sqlite3 package: the published one, else compiled here. Its own install script is not allowed to
 * run, because it needs hosts besides the registry and its failure would be the end of `npm ci`.
 */
export async function setUpSqlite(report: Report): Promise<Missing | undefined> {
  if (findSqliteBinary()) {
    return undefined;
  }
  report('getting the binary of sqlite3 (once, compiling takes a minute or two)');
  const bin = (name: string) => join(repositoryFolder, 'node_modules', name);
  const options = { cwd: packageFolder, timeoutMs: 600_000 };
  const downloaded = await run(process.execPath, [bin('prebuild-install/bin.js'), '-r', 'napi'], options);
  if (downloaded.code === 0 && findSqliteBinary()) {
    return undefined;
  }
  const headers = headersFolder();
  const compiled = await run(
    process.execPath,
    [bin('node-gyp/bin/node-gyp.js'), 'rebuild', ...(headers === undefined ? [] : [`--nodedir=${headers}`])],
    options,
  );
  if (findSqliteBinary()) {
    return undefined;
  }
  const said = compiled.output.split('\n').find(line => /ERR! (stack )?\S/.test(line)) ?? 'it could not be compiled';
  return {
    need: 'sqlite',
    reason: `there is no published binary for this machine within reach, and ${said.replace(/^.*ERR! (stack )?/, '')}`,
    command:
      process.platform === 'linux' ? 'sudo apt-get install -y python3 make g++' : 'install a C++ compiler and Python',
  };
}

/** Older headers than those of the oldest Node that is supported are of no use. */
const OLDEST_MAJOR = 20;

/**
 * The oldest fitting headers that are here: of the `node` package, or beside a Node on the PATH. What is built with them
 * runs on every newer Node; built with newer ones it crashes an older Node, because structures of libuv have grown.
 */
function headersFolder(): string | undefined {
  const folder = `node-${process.platform}-${process.arch}`;
  const packaged = [join('node_modules/node/node_modules', folder), join('node_modules', folder)];
  const installed = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute).map(dirname);
  return [...packaged.map(path => join(repositoryFolder, path)), ...installed]
    .map(path => ({ path, major: majorOf(path) }))
    .filter(({ major }) => major >= OLDEST_MAJOR)
    .toSorted((one, other) => one.major - other.major)[0]?.path;
}

/** Of the headers in a folder; 0 when there are none. */
function majorOf(folder: string): number {
  try {
    const header = readFileSync(join(folder, 'include/node/node_version.h'), 'utf8');
    return existsSync(join(folder, 'include/node/node_api.h'))
      ? Number(/^#define NODE_MAJOR_VERSION (\d+)/m.exec(header)?.[1] ?? 0)
      : 0;
  } catch {
    return 0;
  }
}
