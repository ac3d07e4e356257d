import { silentLogger } from '../../../server/src/core/log.ts';
import {
  createDockerProvider,
  type DockerProviderOptions,
} from '../../../server/src/sandboxes/docker/dockerProvider.ts';
import type { SandboxProvider } from '../../../server/src/sandboxes/provider.ts';

/** The provider as a relay with this data folder has it. */
export function dockerProviderOn(
  { socket, image }: { socket: string; image: string },
  folder: string,
  changes: Partial<DockerProviderOptions> = {},
): SandboxProvider {
  return createDockerProvider({
    folder,
    log: silentLogger,
    engine: { host: `unix://${socket}`, certPath: undefined, runtimeFolder: undefined, home: '/nonexistent' },
    image,
    limits: { memoryMb: 2048, cpus: 0, processes: 512 },
    network: undefined,
    ...changes,
  });
}
