import { KubernetesEmulator } from '../support/vendors/kubernetes/kubernetesEmulator.ts';
import { kubernetesProviderFor, type KubernetesPlace } from '../support/vendors/kubernetes/kubernetesProviderFor.ts';
import { vendorSandboxSuite } from './vendorSandboxSuite.ts';

vendorSandboxSuite({
  name: 'Kubernetes',
  id: 'kubernetes',
  isolation: 'container',
  live: cluster(),
  start: () => KubernetesEmulator.start(),
  placeOf: emulator => ({ kubeconfig: emulator.kubeconfig(), image: 'base' }),
  provider: kubernetesProviderFor,
});

/** A real one where SANDPIPER_KUBECONFIG is set, with image, namespace and context as for a relay. */
function cluster(): KubernetesPlace | undefined {
  const kubeconfig = process.env['SANDPIPER_KUBECONFIG'];
  const context = process.env['SANDPIPER_KUBERNETES_CONTEXT'];
  const namespace = process.env['SANDPIPER_KUBERNETES_NAMESPACE'];
  return kubeconfig === undefined
    ? undefined
    : {
        kubeconfig,
        image: process.env['SANDPIPER_KUBERNETES_IMAGE'] ?? 'sandpiper-agent:latest',
        ...(context === undefined ? {} : { context }),
        ...(namespace === undefined ? {} : { namespace }),
      };
}
