import { daytonaProviderFor } from './daytona/daytonaProviderFor.ts';
import { e2bProviderFor } from './e2b/e2bProviderFor.ts';
import { kubernetesProviderFor } from './kubernetes/kubernetesProviderFor.ts';

/* A provider as it is in the installed program, without the packages beside it: `node bundle.mjs VENDOR KEY URL`. */
const [, , vendor, apiKey = '', apiUrl = ''] = process.argv;
const provider =
  vendor === 'e2b'
    ? e2bProviderFor({ apiKey, apiUrl, template: 'base' }, 'bundle')
    : vendor === 'kubernetes'
      ? kubernetesProviderFor({ kubeconfig: apiUrl, image: 'base' }, 'bundle')
      : daytonaProviderFor({ apiKey, apiUrl, snapshot: 'base' }, 'bundle');
const { reason } = await provider.probe();
const sandbox = await provider.create({ key: 'ses_bundle', acceptNoIsolation: false, mounts: [] });
const path = `${sandbox.paths.journal}/large`;
await sandbox.writeFile(path, Buffer.alloc(200_000, 'abc'));
const { data } = await sandbox.readFrom(path, 199_990, 100);
await provider.destroy(sandbox.ref);
process.stdout.write(JSON.stringify({ reason, read: data.toString() }));
