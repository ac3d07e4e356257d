import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { DaytonaEmulator } from '../support/vendors/daytona/daytonaEmulator.ts';
import { vendorSessionCases } from './cases/vendorSessionCases.ts';

describe('a session at Daytona', function () {
  this.timeout(180_000);
  let emulator: DaytonaEmulator;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'sessions at Daytona', why === undefined, why ?? '');
    emulator = await DaytonaEmulator.start();
  });

  after(async () => {
    await emulator?.close();
  });

  vendorSessionCases('daytona', () => emulator, {
    begin: async id => emulator.machines.get(id)?.stop(),
    keepsProcesses: false,
  });
});
