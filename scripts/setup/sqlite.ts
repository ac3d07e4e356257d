import { existsSync } from 'node:fs';
import { join } from 'node:path';
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

/** The headers that come with the `node` package, so that nothing is fetched for compiling. */
function headersFolder(): string | undefined {
  const folder = `node-${process.platform}-${process.arch}`;
  return [join('node_modules/node/node_modules', folder), join('node_modules', folder)]
    .map(path => join(repositoryFolder, path))
    .find(path => existsSync(join(path, 'include/node/node_api.h')));
}
