import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { SandboxProvider } from '../../server/src/sandboxes/provider.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { sandboxSuite } from './sandboxSuite.ts';

interface VendorSuite<Place, Emulator> {
  name: string;
  /** As vendorRelay.ts knows it. */
  id: string;
  isolation: 'container' | 'vm';
  /** The service itself; undefined: it is played. */
  live: Place | undefined;
  start: () => Promise<Emulator>;
  placeOf: (emulator: Emulator) => Place;
  provider: (place: Place, storage: string) => SandboxProvider;
}

/** The contract on machines of somebody else's: played, or the service itself where the environment says where it is. */
export function vendorSandboxSuite<
  Place,
  Emulator extends { readonly violations: readonly string[]; close(): Promise<void> },
>({ name, id, isolation, live, start, placeOf, provider }: VendorSuite<Place, Emulator>): void {
  describe(`sandboxes of ${name}`, () => {
    let emulator: Emulator | undefined;
    let place = live;
    const known = (): Place => {
      assert.ok(place);
      return place;
    };

    before(async function () {
      if (live === undefined) {
        const why = await whyNoBoxes();
        requireOrSkip(this, `sandboxes of ${name}`, why === undefined, why ?? '');
        emulator = await start();
        place = placeOf(emulator);
      }
    });

    after(async () => {
      const violations = emulator?.violations ?? [];
      await emulator?.close();
      assert.deepEqual(violations, [], 'what was sent and answered is as the vendor describes it');
    });

    sandboxSuite(name, storage => provider(known(), storage), {
      isolation,
      vendor: true,
      otherRelay: (storage, sandboxKey, argv) => ({
        file: process.execPath,
        args: [
          join(import.meta.dirname, 'vendorRelay.ts'),
          id,
          JSON.stringify(known()),
          storage,
          sandboxKey,
          JSON.stringify(argv),
        ],
      }),
      localProcesses: live === undefined,
      costlyCalls: true,
      hostMounts: false,
    });
  });
}
