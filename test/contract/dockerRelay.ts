import { dockerProviderOn } from '../support/docker/dockerProviderOn.ts';

/* A relay to be killed: as localRelay.ts, with `node dockerRelay.ts SOCKET IMAGE STORAGE KEY ARGV`. */
const [, , socket = '', image = '', folder = '', key = '', argv = ''] = process.argv;
const program: unknown = JSON.parse(argv);
if (!Array.isArray(program)) {
  throw new Error('usage: dockerRelay.ts SOCKET IMAGE STORAGE KEY ARGV');
}
const sandbox = await dockerProviderOn({ socket, image }, folder).create({ key, acceptNoIsolation: false, mounts: [] });
await sandbox.start('agent', program.map(String), { cwd: sandbox.paths.workspace, env: {} });
process.stdout.write('started\n');
setInterval(() => {}, 60_000);
