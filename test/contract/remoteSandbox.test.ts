import { join } from 'node:path';
import { plainRemoteProvider } from '../support/sandboxes/plainRemoteProvider.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { sandboxSuite } from './sandboxSuite.ts';

describe('sandboxes that are reached by running programs', () => {
  before(function () {
    requireOrSkip(this, 'remote sandbox', process.platform === 'linux', 'its scripts read /proc');
  });

  sandboxSuite('remote, plain folders', plainRemoteProvider, {
    isolation: 'none',
    otherRelay: (storage, key, argv) => ({
      file: process.execPath,
      args: [join(import.meta.dirname, 'plainRemoteRelay.ts'), storage, key, JSON.stringify(argv)],
    }),
    localProcesses: true,
    costlyCalls: true,
    hostMounts: false,
  });
});
