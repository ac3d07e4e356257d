import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { DaytonaEmulator } from '../support/vendors/daytona/daytonaEmulator.ts';
import { daytonaProviderFor } from '../support/vendors/daytona/daytonaProviderFor.ts';
import { vendorFaultCases } from './vendorFaultCases.ts';

describe('Daytona, played', function () {
  this.timeout(60_000);
  let emulator: DaytonaEmulator;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'faults of Daytona', why === undefined, why ?? '');
    emulator = await DaytonaEmulator.start();
  });

  after(async () => {
    await emulator?.close();
  });

  vendorFaultCases('Daytona', {
    vendor: () => emulator,
    provider: (storage, { apiKey = emulator.apiKey, image = 'base' } = {}) =>
      daytonaProviderFor({ apiKey, apiUrl: `${emulator.url}/api`, snapshot: image }, storage),
    patterns: {
      create: /^POST \/api\/sandbox$/,
      list: /^GET \/api\/sandbox$/,
      run: /^POST \/toolbox\/[^/]+\/process\/execute$/,
      download: /^GET \/toolbox\/[^/]+\/files\/download$/,
    },
    putToSleep: async id => emulator.machines.get(id)?.stop(),
    keepsProcesses: false,
  });

  it('reads from an offset though the vendor sends files whole', async () => {
    const provider = daytonaProviderFor(
      { apiKey: emulator.apiKey, apiUrl: `${emulator.url}/api`, snapshot: 'base' },
      'whole files',
    );
    const sandbox = await provider.create({ key: `ses_${randomUUID()}`, acceptNoIsolation: false, mounts: [] });
    emulator.ignoresRange = true;
    try {
      const path = `${sandbox.paths.journal}/out`;
      await sandbox.writeFile(path, Buffer.from('0123456789'));
      assert.equal((await sandbox.readFrom(path, 7, 2)).data.toString(), '78');
      assert.equal((await sandbox.readFrom(path, 10, 2)).data.toString(), '');
    } finally {
      emulator.ignoresRange = false;
      await provider.destroy(sandbox.ref);
    }
  });
});
