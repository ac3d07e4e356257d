import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError, toSandpiperError } from '../../protocol/errors.ts';
import { Archives } from './archives/archives.ts';
import { makeBackup } from './backup/makeBackup.ts';
import { refuseFilled, restoreBackup, verifyBackup } from './backup/restoreBackup.ts';
import type { Config } from './core/config.ts';
import { openDataFolder } from './core/dataFolder.ts';
import type { DataFolderTools, DeepCheckResult, OnProgress } from './core/dataFolderTools.ts';
import { silentLogger } from './core/log.ts';
import { Mirrors } from './git/mirrors.ts';
import { deepCheck, type SearchInspection } from './integrity/deepCheck.ts';
import { createLocalProvider } from './sandboxes/local/localProvider.ts';
import type { SearchIndex } from './store/search.ts';
import type { StoreRepair } from './store/inspection.ts';
import { openBlobs } from './store/fileBlobs.ts';
import { copyDatabase, requireDatabase } from './store/sqlite/copyDatabase.ts';
import { inspectDatabase, repairDatabase } from './store/sqlite/inspectDatabase.ts';
import { hasSearchIndex, openSearchIndex, removeSearchIndex, SEARCH_FILE } from './store/sqlite/searchIndex.ts';
import { openStore } from './store/sqlite/openStore.ts';
import { acquireRelayLock } from './store/sqlite/relayLock.ts';

const log = silentLogger;
const LOCK = 'relay.lock';
const isIgnored = (name: string) => name.startsWith(LOCK) || name === 'lost+found';

/**
 * The tools over the concrete parts. They read the folder themselves and not through the relay: so they work on one that
 * does not start any more, and cost one that runs nothing but the disk's time.
 */
export function dataFolderTools(config: Pick<Config, 'path'>): DataFolderTools {
  return {
    makeBackup: async ({ dataFolder, ...options }) =>
      makeBackup({
        ...options,
        archiveFolder: join(dataFolder, 'archives'),
        conversationFolder: join(dataFolder, 'conversations'),
        archives: await openArchives(dataFolder),
        blobFolder: join(dataFolder, 'blobs'),
        mirrors: new Mirrors(join(dataFolder, 'mirrors'), log),
        copyDatabase: target => copyDatabase(databaseOf(dataFolder), target, { log }),
        openStore: file => openStore({ file, log }),
      }),
    verifyBackup,
    restoreBackup: async ({ file, dataFolder, onProgress }) => {
      await refuseFilled({ dataFolder, isIgnored });
      const backup = await verifyBackup(file, onProgress);
      await mkdir(dataFolder, { recursive: true, mode: 0o700 });
      await openDataFolder(dataFolder);
      await locked(dataFolder, 'A backup cannot be restored into', () =>
        restoreBackup({
          file,
          dataFolder,
          isIgnored,
          tryDatabase: async database => (await openStore({ file: database, log })).close(),
          onProgress,
        }),
      );
      return { backup, check: await checkDeeply(config, dataFolder, false, onProgress) };
    },
    checkDeeply: ({ dataFolder, repair, onProgress }) =>
      repair
        ? locked(dataFolder, 'Nothing can be repaired in', () => checkDeeply(config, dataFolder, true, onProgress))
        : checkDeeply(config, dataFolder, false, onProgress),
  };
}

async function checkDeeply(
  config: Pick<Config, 'path'>,
  dataFolder: string,
  withRepair: boolean,
  onProgress: OnProgress,
): Promise<DeepCheckResult> {
  const inspection = await inspectDatabase(databaseOf(dataFolder), { log });
  try {
    const local = createLocalProvider({ folder: join(dataFolder, 'sandboxes'), log, path: config.path });
    const repair = withRepair ? await openRepair(databaseOf(dataFolder)) : undefined;
    try {
      const search = await inspectSearch(join(dataFolder, SEARCH_FILE));
      return await deepCheck({
        inspection,
        ...(search ? { search } : {}),
        blobs: await openBlobs(join(dataFolder, 'blobs')),
        mirrors: new Mirrors(join(dataFolder, 'mirrors'), log),
        archives: await openArchives(dataFolder),
        providers: new Map([[local.id, local]]),
        ...(repair ? { repair } : {}),
        onProgress,
      });
    } finally {
      await repair?.close();
    }
  } finally {
    await inspection.close();
  }
}

/** Undefined for a database in such a state that nothing can be written to it: looking at it says more. */
async function openRepair(file: string): Promise<StoreRepair | undefined> {
  try {
    return await repairDatabase(file, { log });
  } catch (error) {
    if (toSandpiperError(error).code === 'internal') {
      return undefined;
    }
    throw error;
  }
}

/** Undefined where nobody has searched. */
async function inspectSearch(file: string): Promise<SearchInspection | undefined> {
  if (!(await hasSearchIndex(file))) {
    return undefined;
  }
  const looked = async <Result>(look: (index: SearchIndex) => Promise<Result>): Promise<Result> => {
    const index = await openSearchIndex({ file, log, keep: true });
    try {
      return await look(index);
    } finally {
      await index.close();
    }
  };
  return {
    positions: () => looked(index => index.positions()),
    problems: () => looked(index => index.problems()),
    clear: () => removeSearchIndex(file),
  };
}

/** While the work goes on no relay can start on the folder. */
async function locked<Result>(dataFolder: string, what: string, work: () => Promise<Result>): Promise<Result> {
  const lock = await acquireRelayLock(join(dataFolder, LOCK), log).catch((error: unknown) => {
    throw error instanceof SandpiperError && error.code === 'conflict'
      ? new SandpiperError('conflict', `${what} ${dataFolder} while a relay uses it.`, {
          hint: 'Stop that relay, then try again. Nothing has been changed.',
          cause: error,
        })
      : error;
  });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Opening them makes their folder, which must not be where no data folder is. */
async function openArchives(dataFolder: string): Promise<Archives> {
  await requireDatabase(databaseOf(dataFolder));
  return Archives.open(join(dataFolder, 'archives'));
}

function databaseOf(dataFolder: string): string {
  return join(dataFolder, 'relay.db');
}
