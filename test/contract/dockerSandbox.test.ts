import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startTestEngine, whyNoEngine, type TestEngine } from '../support/docker/dockerEngine.ts';
import { dockerProviderOn } from '../support/docker/dockerProviderOn.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { sandboxSuite } from './sandboxSuite.ts';

describe('Docker sandboxes', function () {
  this.timeout(60_000);
  let engine: TestEngine | undefined;
  const place = (): TestEngine => {
    assert.ok(engine);
    return engine;
  };

  before(async function () {
    const reason = whyNoEngine();
    requireOrSkip(this, 'Docker sandboxes', reason === undefined, reason ?? '');
    engine = await startTestEngine();
  });

  after(async () => engine?.stop());

  sandboxSuite('Docker', storage => dockerProviderOn(place(), storage), {
    isolation: 'container',
    otherRelay: (storage, key, argv) => ({
      file: process.execPath,
      args: [
        join(import.meta.dirname, 'dockerRelay.ts'),
        place().socket,
        place().image,
        storage,
        key,
        JSON.stringify(argv),
      ],
    }),
    localProcesses: true,
  });
});
