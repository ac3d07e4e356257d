import { PassThrough } from 'node:stream';
import { CoreV1Api, Exec, KubeConfig, type V1Status } from '@kubernetes/client-node';
import { podManifest } from '../../../../server/src/sandboxes/kubernetes/podManifest.ts';
import { eventually } from '../../eventually.ts';
import type { KubernetesEmulator } from './kubernetesEmulator.ts';

const POD = { namespace: 'sandboxes', name: 'bare' };

/** A pod with a clone of a bundle in it, by nothing but the official client: what every start needs at least. */
export async function kubernetesBareStart(emulator: KubernetesEmulator, bundle: Buffer): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(emulator.kubeconfig());
  const core = config.makeApiClient(CoreV1Api);
  const limits = { cpus: 1, memoryMb: 512, diskMb: 512 };
  const plan = { name: POD.name, labels: {}, image: 'base', limits, maxSeconds: 600, hosts: [] };
  const body = podManifest({ ...plan, runtimeClass: undefined, pullSecret: undefined });
  await core.createNamespacedPod({ namespace: POD.namespace, body });
  await eventually(async () => {
    if ((await core.readNamespacedPod(POD)).status?.containerStatuses?.[0]?.ready !== true) {
      throw new Error('The bare pod is not ready.');
    }
  });
  const stdin = new PassThrough();
  stdin.write(bundle);
  const script = `cd /sandpiper && head -c ${bundle.length} > bundle && git clone -q bundle clone`;
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(POD.namespace, POD.name, 'sandbox', ['sh', '-c', script], null, null, stdin, false, resolve)
      .catch(reject);
  });
  if (status.status !== 'Success') {
    throw new Error(`The bare clone failed: ${status.message}`);
  }
  const { metadata } = await core.deleteNamespacedPod(POD);
  await eventually(() => {
    if (emulator.machines.has(`${POD.name}.${metadata?.uid}`)) {
      throw new Error('The bare pod is still there.');
    }
  });
}
