import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../server/src/store/store.ts';
import type { OpenStoreIn } from './storeSuite.ts';

interface OpenedStore {
  readonly store: Store;
  readonly folder: string;
  /** As another relay finds it. */
  reopen(): Promise<void>;
}

/** A store in a folder of its own for each test of a suite. Call it inside `describe`. */
export function useStore(open: OpenStoreIn): OpenedStore {
  let folder = '';
  let store: Store | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-store-'));
    store = await open(folder);
  });

  afterEach(async () => {
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  return {
    get store() {
      if (!store) {
        throw new Error('The test has not begun.');
      }
      return store;
    },
    get folder() {
      return folder;
    },
    async reopen() {
      await store?.close();
      store = await open(folder);
    },
  };
}
