import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandpiperError, toError } from '../../../../protocol/errors.ts';

/** How to find the engine, as the `docker` command would. */
export interface DockerSettings {
  /** DOCKER_HOST. Default: the first of the usual sockets that exists. */
  host: string | undefined;
  /** DOCKER_CERT_PATH: the folder with ca.pem, cert.pem and key.pem, for an engine that wants TLS. */
  certPath: string | undefined;
  /** XDG_RUNTIME_DIR and HOME, where engines without root keep their sockets. */
  runtimeFolder: string | undefined;
  home: string;
}

export interface DockerAddress {
  /** For a person. */
  name: string;
  /** The engine listens on a socket of this machine, so it may see its files. */
  isLocal: boolean;
  connection: {
    socketPath?: string;
    protocol?: 'http' | 'https';
    host?: string;
    port?: number;
    ca?: Buffer;
    cert?: Buffer;
    key?: Buffer;
  };
}

const DEFAULT_PORT = 2375;
const DEFAULT_TLS_PORT = 2376;

/** @throws `sandbox_unavailable` when there is no engine, or its address is one that Sandpiper cannot use */
export async function findDocker(settings: DockerSettings): Promise<DockerAddress> {
  const host = settings.host ?? usualSockets(settings).find(path => existsSync(path));
  if (host === undefined) {
    throw new SandpiperError('sandbox_unavailable', 'No Docker engine was found on this machine.', {
      hint: 'Start Docker or Podman (`podman system service`), or set DOCKER_HOST.',
    });
  }
  if (host.startsWith('/')) {
    return { name: host, isLocal: true, connection: { socketPath: host } };
  }
  const url = URL.canParse(host) ? new URL(host) : undefined;
  switch (url?.protocol) {
    case 'unix:':
    case 'npipe:':
      return { name: host, isLocal: true, connection: { socketPath: host.replace(/^(unix|npipe):\/\//, '') } };
    case 'tcp:':
    case 'http:':
    case 'https:':
      return { name: host, isLocal: false, connection: await overNetwork(url, settings.certPath) };
    default:
      throw new SandpiperError('sandbox_unavailable', `DOCKER_HOST is "${host}", which Sandpiper cannot connect to.`, {
        hint: 'Use unix://, tcp:// or https://. For ssh, forward the socket: ssh -L /tmp/docker.sock:/var/run/docker.sock HOST, and DOCKER_HOST=unix:///tmp/docker.sock.',
      });
  }
}

function usualSockets({ runtimeFolder, home }: DockerSettings): string[] {
  const run = runtimeFolder === undefined ? [] : [runtimeFolder];
  return [
    '/var/run/docker.sock',
    ...run.map(folder => join(folder, 'docker.sock')),
    join(home, '.docker', 'run', 'docker.sock'),
    '/run/podman/podman.sock',
    ...run.map(folder => join(folder, 'podman', 'podman.sock')),
  ];
}

async function overNetwork(url: URL, certPath: string | undefined): Promise<DockerAddress['connection']> {
  const isSecure = url.protocol === 'https:' || certPath !== undefined;
  const port = Number(url.port) || (isSecure ? DEFAULT_TLS_PORT : DEFAULT_PORT);
  const place = { protocol: isSecure ? 'https' : 'http', host: url.hostname, port } as const;
  if (certPath === undefined) {
    return place;
  }
  try {
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map(async name => readFile(join(certPath, name))),
    );
    return { ...place, ...(ca && cert && key ? { ca, cert, key } : {}) };
  } catch (error) {
    throw new SandpiperError(
      'sandbox_unavailable',
      `The certificates for Docker cannot be read: ${toError(error).message}`,
      { hint: 'DOCKER_CERT_PATH names a folder with ca.pem, cert.pem and key.pem.', cause: error },
    );
  }
}
