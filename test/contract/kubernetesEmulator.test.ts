import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { ApiException, CoreV1Api, Exec, KubeConfig, NetworkingV1Api, type V1Status } from '@kubernetes/client-node';
import { podManifest, type PodPlan } from '../../server/src/sandboxes/kubernetes/podManifest.ts';
import { eventually } from '../support/eventually.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { whyNoBoxes } from '../support/vendors/box.ts';
import { KubernetesEmulator } from '../support/vendors/kubernetes/kubernetesEmulator.ts';

const namespace = 'sandboxes';

/** Kubernetes as it is played for the tests, driven by the official client, in both versions of the protocol of programs. */
for (const protocols of [['v4.channel.k8s.io'], ['v5.channel.k8s.io', 'v4.channel.k8s.io']]) {
  describe(`the emulator of Kubernetes with ${protocols[0]}`, function () {
    this.timeout(30_000);
    let cluster: KubernetesEmulator;
    let config: KubeConfig;
    let core: CoreV1Api;

    before(async function () {
      const why = await whyNoBoxes();
      requireOrSkip(this, 'the emulator of Kubernetes', why === undefined, why ?? '');
      cluster = await KubernetesEmulator.start(protocols);
      config = new KubeConfig();
      config.loadFromFile(cluster.kubeconfig());
      core = config.makeApiClient(CoreV1Api);
    });

    afterEach(async () => {
      cluster.requests.splice(0);
      cluster.faults.clear();
      cluster.quota = 100;
      await Promise.all([...cluster.machines.values()].map(async pod => pod.destroy()));
      assert.deepEqual(cluster.violations.splice(0), []);
    });

    after(async () => {
      await cluster?.close();
    });

    const make = async (name: string, changes: Partial<PodPlan> = {}): Promise<string | undefined> =>
      (await core.createNamespacedPod({ namespace, body: podManifest({ ...PLAN, name, ...changes }) })).metadata?.uid;
    const run = async (
      name: string,
      argv: string[],
      stdin?: PassThrough,
    ): Promise<{ out: string; status: V1Status }> => {
      const stdout = new PassThrough();
      let out = '';
      stdout.on('data', (data: Buffer) => (out += data.toString()));
      const status = await new Promise<V1Status>((resolve, reject) => {
        new Exec(config)
          .exec(namespace, name, 'sandbox', argv, stdout, null, stdin ?? null, false, resolve)
          .catch(reject);
      });
      return { out, status };
    };
    const runs = async (name: string): Promise<void> => {
      await eventually(async () => {
        const { status } = await core.readNamespacedPod({ name, namespace });
        assert.equal(status?.containerStatuses?.[0]?.ready, true);
      });
    };

    it('runs programs in a pod, and tells their end', async () => {
      const uid = await make('a');
      await runs('a');
      const ended = await run('a', [
        'sh',
        '-c',
        'echo $SANDPIPER_POD $HOME; touch /x 2>/dev/null || echo locked; exit 3',
      ]);
      assert.equal(ended.out, `${uid} /sandpiper\nlocked\n`);
      assert.deepEqual(ended.status.details?.causes, [{ reason: 'ExitCode', message: '3' }]);
      const stdin = new PassThrough();
      stdin.write('hello');
      const read = await run('a', ['sh', '-c', 'head -c 5'], stdin);
      assert.deepEqual([read.out, read.status.status], ['hello', 'Success']);
    });

    it(protocols.length > 1 ? 'ends the input of a program' : 'ends a call with its input', async () => {
      await make('a');
      await runs('a');
      const stdin = new PassThrough();
      stdin.end('hello');
      const answer = run('a', ['sh', '-c', 'cat; echo ended'], stdin);
      if (protocols.length > 1) {
        assert.equal((await answer).out, 'helloended\n');
      } else {
        // The client of an old server knows no other way than to hang up: no status ever comes.
        await eventually(() => {
          assert.ok(cluster.requests.some(request => request.startsWith('EXEC') && request.includes('/pods/a/')));
          assert.equal([...cluster.machines.values()][0]?.calls.size, 0);
        });
      }
    });

    it('refuses what a cluster refuses', async () => {
      await make('a');
      const codeOf = async (action: Promise<unknown>): Promise<string> => {
        const error = await action.then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.ok(error instanceof ApiException);
        return `${error.code} ${/"reason":"(\w+)"/.exec(String(error.body))?.[1]}`;
      };
      assert.equal(await codeOf(make('a')), '409 AlreadyExists');
      assert.equal(await codeOf(make('Bad_Name')), '422 Invalid');
      assert.equal(await codeOf(make('b', { labels: { x: 'no spaces' } })), '422 Invalid');
      assert.equal(await codeOf(core.readNamespacedPod({ name: 'none', namespace })), '404 NotFound');
      const stranger = { gracePeriodSeconds: 0, preconditions: { uid: 'another' } };
      assert.match(await codeOf(core.deleteNamespacedPod({ name: 'a', namespace, body: stranger })), /^409/);
      const loose = podManifest({ ...PLAN, name: 'b' });
      assert.ok(loose.spec);
      loose.spec.hostNetwork = true;
      assert.equal(await codeOf(core.createNamespacedPod({ namespace, body: loose })), '403 Forbidden');
      cluster.quota = 1;
      assert.equal(await codeOf(make('b')), '403 Forbidden');
    });

    it('lists by label, page by page, and keeps policies', async () => {
      await make('a', { labels: { own: 'yes' } });
      await make('b', { labels: { own: 'yes' } });
      await make('c');
      const first = await core.listNamespacedPod({ namespace, labelSelector: 'own=yes', limit: 1 });
      const _continue = first.metadata?._continue ?? '';
      const second = await core.listNamespacedPod({ namespace, labelSelector: 'own=yes', limit: 1, _continue });
      assert.deepEqual(
        [...first.items, ...second.items].map(({ metadata }) => metadata?.name),
        ['a', 'b'],
      );
      assert.equal(second.metadata?._continue, undefined);
      const networking = config.makeApiClient(NetworkingV1Api);
      const body = { metadata: { name: 'deny' }, spec: { podSelector: {}, policyTypes: ['Egress'] } };
      await networking.createNamespacedNetworkPolicy({ namespace, body });
      await assert.rejects(networking.createNamespacedNetworkPolicy({ namespace, body }), { code: 409 });
    });

    it('ends everything with a pod', async () => {
      await make('a');
      await runs('a');
      const running = run('a', ['sleep', '1000']);
      await eventually(() => assert.equal([...cluster.machines.values()][0]?.calls.size, 1));
      await core.deleteNamespacedPod({ name: 'a', namespace });
      await eventually(() => assert.equal(cluster.machines.size, 0));
      // The official client never tells that the connection ended.
      void running;
      await assert.rejects(core.readNamespacedPod({ name: 'a', namespace }), { code: 404 });
    });
  });
}

const PLAN: PodPlan = {
  name: 'a',
  labels: {},
  image: 'base',
  limits: { cpus: 1, memoryMb: 64, diskMb: 64 },
  maxSeconds: 60,
  runtimeClass: 'gvisor',
  pullSecret: 'registry',
  hosts: [{ name: 'relay.example', addresses: ['192.0.2.1', '2001:db8::1'] }],
};
