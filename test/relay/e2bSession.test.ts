import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { E2bEmulator } from '../support/vendors/e2b/e2bEmulator.ts';
import { vendorSessionCases } from './cases/vendorSessionCases.ts';

describe('a session at E2B', function () {
  this.timeout(180_000);
  let emulator: E2bEmulator;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'sessions at E2B', why === undefined, why ?? '');
    emulator = await E2bEmulator.start();
  });

  after(async () => {
    await emulator?.close();
  });

  vendorSessionCases('e2b', () => emulator, {
    begin: async id => emulator.machines.get(id)?.pause(),
    keepsProcesses: true,
  });
});
