import { z } from 'zod';
import { daytonaProviderFor } from '../support/vendors/daytona/daytonaProviderFor.ts';
import { e2bProviderFor } from '../support/vendors/e2b/e2bProviderFor.ts';
import { kubernetesProviderFor } from '../support/vendors/kubernetes/kubernetesProviderFor.ts';

/* A relay to be killed: as localRelay.ts, with `node vendorRelay.ts VENDOR PLACE STORAGE KEY ARGV`. */
const [, , vendor = '', place = '', folder = '', key = '', argv = ''] = process.argv;
const program = z.array(z.string()).parse(JSON.parse(argv));
const text = z.string();
const e2bPlace = z.object({ apiKey: text, apiUrl: text.exactOptional(), template: text });
const daytonaPlace = z.object({ apiKey: text, apiUrl: text, snapshot: text.exactOptional() });
const kubernetesPlace = z.object({
  kubeconfig: text,
  image: text,
  context: text.exactOptional(),
  namespace: text.exactOptional(),
});
const provider =
  vendor === 'e2b'
    ? e2bProviderFor(e2bPlace.parse(JSON.parse(place)), folder)
    : vendor === 'kubernetes'
      ? kubernetesProviderFor(kubernetesPlace.parse(JSON.parse(place)), folder)
      : daytonaProviderFor(daytonaPlace.parse(JSON.parse(place)), folder);
const sandbox = await provider.create({ key, acceptNoIsolation: false, mounts: [] });
await sandbox.start('agent', program, { cwd: sandbox.paths.workspace, env: {} });
process.stdout.write('started\n');
setInterval(() => {}, 60_000);
