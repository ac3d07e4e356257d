import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { E2bEmulator } from '../support/vendors/e2b/e2bEmulator.ts';
import { e2bProviderFor } from '../support/vendors/e2b/e2bProviderFor.ts';
import { vendorFaultCases } from './vendorFaultCases.ts';

describe('E2B, played', () => {
  let emulator: E2bEmulator;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'faults of E2B', why === undefined, why ?? '');
    emulator = await E2bEmulator.start();
  });

  after(async () => {
    await emulator?.close();
  });

  vendorFaultCases('E2B', {
    vendor: () => emulator,
    provider: (storage, { apiKey = emulator.apiKey, image = 'base' } = {}) =>
      e2bProviderFor({ apiKey, apiUrl: emulator.url, template: image }, storage),
    patterns: {
      create: /^POST \/v2\/sandboxes$/,
      list: /^GET \/v2\/sandboxes$/,
      run: /^POST \/process\.Process\/Start$/,
      download: /^GET \/files$/,
    },
    putToSleep: async id => emulator.machines.get(id)?.pause(),
    keepsProcesses: true,
  });
});
