import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Sandbox, SandboxProvider } from '../../server/src/sandboxes/provider.ts';
import { rejects } from '../support/rejects.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { KubernetesEmulator } from '../support/vendors/kubernetes/kubernetesEmulator.ts';
import { kubernetesProviderFor } from '../support/vendors/kubernetes/kubernetesProviderFor.ts';
import type { KubernetesPod } from '../support/vendors/kubernetes/kubernetesPod.ts';
import { vendorFaultCases } from './vendorFaultCases.ts';

describe('Kubernetes, played', function () {
  this.timeout(60_000);
  let emulator: KubernetesEmulator;

  before(async function () {
    const why = await whyNoBoxes();
    requireOrSkip(this, 'faults of Kubernetes', why === undefined, why ?? '');
    emulator = await KubernetesEmulator.start(['v5.channel.k8s.io', 'v4.channel.k8s.io']);
  });

  afterEach(() => {
    assert.deepEqual(emulator.violations.splice(0), []);
  });

  after(async () => {
    await emulator?.close();
  });

  vendorFaultCases('Kubernetes', {
    vendor: () => emulator,
    provider: (storage, { apiKey = emulator.apiKey, image = 'base' } = {}) =>
      kubernetesProviderFor({ kubeconfig: emulator.kubeconfig(apiKey), image }, storage),
    patterns: {
      create: /^POST .*\/pods$/,
      list: /^GET .*\/pods$/,
      run: /^EXEC .* sandpiper-run$/,
      download: /^EXEC .* sandpiper-read$/,
    },
    hints: { full: /kubectl describe quota/, refused: /SANDPIPER_KUBECONFIG/ },
  });

  describe('the pods of a cluster', () => {
    let provider: SandboxProvider;
    let storage = '';
    const spec = (key = `ses_${randomUUID()}`) => ({ key, acceptNoIsolation: false, mounts: [] });
    const place = () => ({ kubeconfig: emulator.kubeconfig(), image: 'base' });
    const onlyPod = (): KubernetesPod => {
      const [pod, ...others] = emulator.machines.values();
      assert.ok(pod);
      assert.equal(others.length, 0);
      return pod;
    };
    const isWell = async (sandbox: Sandbox): Promise<void> => {
      // The workspace is made by the first run of whoever created it, which need not be this one.
      assert.equal((await sandbox.exec(['true'], { cwd: '/', timeoutMs: 20_000 })).code, 0);
    };

    beforeEach(() => {
      storage = randomUUID();
      provider = kubernetesProviderFor(place(), storage);
    });

    afterEach(async () => {
      emulator.faults.clear();
      emulator.denied.clear();
      emulator.slowStart = Promise.resolve();
      emulator.crowded = 0;
      emulator.quota = 100;
      await Promise.all([...emulator.machines.values()].map(async pod => pod.destroy()));
    });

    it('says why a pod finds no node, and leaves none behind', async () => {
      emulator.slowStart = new Promise(() => {});
      const hasty = kubernetesProviderFor(place(), storage, { startTimeoutMs: 300 });
      const { message, hint } = await rejects(hasty.create(spec()), 'sandbox_unavailable');
      assert.match(message, /Unschedulable: 0\/3 nodes are available: 3 Insufficient cpu/);
      assert.match(hint ?? '', /SANDPIPER_KUBERNETES_CPUS/);
      assert.equal(emulator.machines.size, 0);
    });

    it('says which image cannot be pulled, and takes another one for the same session', async () => {
      const asked = spec();
      const wrong = kubernetesProviderFor({ ...place(), image: 'registry.example/none:1' }, storage);
      const { message, hint } = await rejects(wrong.create(asked), 'sandbox_unavailable');
      assert.match(message, /registry\.example\/none:1.*ImagePullBackOff/);
      assert.match(hint ?? '', /SANDPIPER_KUBERNETES_IMAGE/);
      await isWell(await provider.create(asked));
    });

    it('tries again when the node had no room', async () => {
      emulator.crowded = 1;
      await isWell(await provider.create(spec()));
      assert.equal(onlyPod().status['phase'], 'Running');
    });

    it('goes on with a pod that another attempt left before it ran', async () => {
      const slow = Promise.withResolvers<void>();
      emulator.slowStart = slow.promise;
      emulator.faults.set(/^POST .*\/pods$/, { kind: 'lost' });
      const sandbox = await provider.create(spec());
      assert.equal(onlyPod().status['phase'], 'Pending');
      const attached = await kubernetesProviderFor(place(), storage).attach(sandbox.ref);
      const running = Promise.all([isWell(sandbox), isWell(attached)]);
      slow.resolve();
      await running;
      onlyPod();
    });

    it('makes a new pod for a session whose own was evicted, and says that the old one is gone', async () => {
      const asked = spec();
      const old = await provider.create(asked);
      await old.writeFile(`${old.paths.journal}/a`, Buffer.from('a'));
      await onlyPod().fail('Evicted', 'Usage of EmptyDir volume "work" exceeds the limit "1Gi".');
      assert.deepEqual(await provider.list(), []);
      const error = await rejects(old.readFrom(`${old.paths.journal}/a`, 0, 1), 'sandbox_gone');
      assert.match(error.hint ?? '', /EmptyDir volume "work" exceeds the limit/);
      await rejects(kubernetesProviderFor(place(), storage).attach(old.ref), 'sandbox_gone');
      const anew = await provider.create(asked);
      assert.notEqual(anew.ref.id, old.ref.id);
      await isWell(anew);
      await rejects(old.exec(['true'], { timeoutMs: 20_000 }), 'sandbox_gone');
      await provider.destroy(old.ref);
      await isWell(anew);
    });

    it('never runs anything in another pod that got the name', async () => {
      const asked = spec();
      const old = await provider.create(asked);
      await isWell(old);
      const other = kubernetesProviderFor(place(), storage);
      // Behind the back of the relay that still believes in the first.
      await other.destroy(old.ref);
      const anew = await other.create(asked);
      await rejects(old.writeFile(`${old.paths.workspace}/a`, Buffer.from('a')), 'sandbox_gone');
      assert.equal((await anew.readFrom(`${anew.paths.workspace}/a`, 0, 1)).missing, true);
    });

    it('refuses a pod of its name that is not its own', async () => {
      const asked = spec();
      await provider.create(asked);
      const pod = onlyPod();
      pod.labels['sandpiper.dev/relay'] = 'stranger';
      const { message, hint } = await rejects(provider.create(asked), 'sandbox_unavailable');
      assert.match(message, /not this relay's/);
      assert.match(hint ?? '', /kubectl describe pod/);
      assert.equal(onlyPod(), pod);
    });

    it('removes pods that ended long ago, its own only, at the start of a relay', async () => {
      const [dead, young, alive] = [
        await provider.create(spec()),
        await provider.create(spec()),
        await provider.create(spec()),
      ];
      const strange = await kubernetesProviderFor(place(), 'another').create(spec());
      for (const { ref } of [dead, young, strange]) {
        await emulator.machines
          .get(ref.id)
          ?.fail('DeadlineExceeded', 'Pod was active on the node longer than the specified deadline');
      }
      emulator.machines.get(dead.ref.id)?.age(120_000);
      emulator.machines.get(strange.ref.id)?.age(120_000);
      emulator.machines.get(alive.ref.id)?.age(120_000);
      await kubernetesProviderFor(place(), storage).endAbandoned?.();
      assert.deepEqual([...emulator.machines.keys()].sort(), [young.ref.id, alive.ref.id, strange.ref.id].sort());
    });

    it('does not keep a relay from starting when the cluster is away', async () => {
      emulator.faults.set(/^GET .*\/pods$/, { kind: 'answer', status: 503 }, 100);
      await provider.endAbandoned?.();
    });

    it('names the rights that it lacks', async () => {
      emulator.denied.add('get pods/exec').add('create networkpolicies');
      const { available, reason, hint } = await provider.probe();
      assert.equal(available, false);
      assert.match(reason ?? '', /may not get pods\/exec, create networkpolicies/);
      assert.match(hint ?? '', /docs\/kubernetes\.md/);
      const { message } = await rejects(provider.create(spec()), 'sandbox_unavailable');
      assert.match(message, /cannot create resource "networkpolicies"/);
      const careless = kubernetesProviderFor(place(), storage, { policy: 'theirs' });
      const theirs = await careless.create(spec());
      assert.match(
        (await rejects(theirs.exec(['true'], { timeoutMs: 9000 }), 'sandbox_unavailable')).message,
        /pods\/exec/,
      );
      assert.equal(emulator.policies.has(`sandpiper-${onlyPod().labels['sandpiper.dev/relay']}`), false);
    });

    it('says which namespace does not exist, and which kubeconfig cannot be read', async () => {
      for (const policy of ['theirs', 'make'] as const) {
        const elsewhere = kubernetesProviderFor({ ...place(), namespace: 'nowhere' }, storage, { policy });
        const { message } = await rejects(elsewhere.create(spec()), 'sandbox_unavailable');
        assert.match(message, /namespace "nowhere" does not exist/);
      }
      const none = kubernetesProviderFor({ kubeconfig: '/nonexistent/config', image: 'base' }, storage);
      const { reason, hint } = await none.probe();
      assert.match(reason ?? '', /\/nonexistent\/config/);
      assert.match(hint ?? '', /SANDPIPER_KUBECONFIG/);
      const outside = kubernetesProviderFor({ kubeconfig: 'in-cluster', image: 'base' }, storage);
      assert.match((await outside.probe()).reason ?? '', /runs in no pod/);
      const open = emulator.kubeconfig(emulator.apiKey, { server: emulator.url });
      const bare = await kubernetesProviderFor({ kubeconfig: open, image: 'base' }, storage).probe();
      assert.match(bare.reason ?? '', /without TLS/);
      const context = await kubernetesProviderFor({ ...place(), context: 'moon' }, storage).probe();
      assert.match(context.reason ?? '', /no context "moon"/);
    });

    it('lets its pods reach the model gateway and nothing else, and changes that with the settings', async () => {
      const relay = (gatewayUrl: string, more: object = {}) =>
        kubernetesProviderFor(place(), storage, { gatewayUrl, ...more });
      const egress = (): unknown => {
        const [policy] = emulator.policies.values();
        const found: unknown = JSON.parse(JSON.stringify(policy));
        return typeof found === 'object' && found !== null
          ? Reflect.get(Object(Reflect.get(found, 'spec')), 'egress')
          : undefined;
      };
      emulator.policies.clear();
      await relay('https://192.0.2.7/model').create(spec());
      const to = [{ ipBlock: { cidr: '192.0.2.7/32' } }];
      assert.deepEqual(egress(), [{ ports: [{ port: 443, protocol: 'TCP' }], to }]);
      await relay('http://relay:1', { gatewayPods: { labels: { app: 'relay' }, port: 8932 }, network: 'open' }).create(
        spec(),
      );
      assert.deepEqual(egress(), [{}]);
      await relay('http://localhost:81', { gatewayPods: { labels: { app: 'relay' }, port: 8932 } }).create(spec());
      const pods = [{ podSelector: { matchLabels: { app: 'relay' } } }];
      assert.deepEqual(egress(), [{ ports: [{ port: 8932, protocol: 'TCP' }], to: pods }]);
      assert.equal(emulator.policies.size, 1);
    });
  });
});
