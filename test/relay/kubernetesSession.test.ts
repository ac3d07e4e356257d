import assert from 'node:assert/strict';
import { rejects } from '../support/rejects.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { KubernetesEmulator } from '../support/vendors/kubernetes/kubernetesEmulator.ts';
import { openWorkshop } from '../support/workshop.ts';
import { vendorSessionCases } from './cases/vendorSessionCases.ts';

describe('a session in Kubernetes', function () {
  this.timeout(180_000);
  let emulator: KubernetesEmulator;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'sessions in Kubernetes', why === undefined, why ?? '');
    emulator = await KubernetesEmulator.start();
  });

  after(async () => {
    await emulator?.close();
  });

  vendorSessionCases('kubernetes', () => emulator);

  it('is refused with what the cluster does not allow, and doctor says so before', async () => {
    emulator.denied.add('create pods');
    const shop = await openWorkshop(emulator.env);
    try {
      const { checks } = await shop.client.call('relay.checks', {});
      const found = checks.find(({ name }) => name === 'sandbox kubernetes');
      assert.match(found?.detail ?? '', /may not create pods in the namespace "sandboxes"/);
      assert.match(found?.hint ?? '', /docs\/kubernetes\.md/);
      const refused = shop.begin([{ text: 'never' }], { provider: 'kubernetes' });
      await rejects(refused, 'sandbox_unavailable');
    } finally {
      emulator.denied.clear();
      await shop.dispose();
    }
  });
});
