import { plainRemoteProvider } from '../support/sandboxes/plainRemoteProvider.ts';

/* A relay to be killed: as localRelay.ts, with `node plainRemoteRelay.ts STORAGE KEY ARGV`. */
const [, , folder = '', key = '', argv = ''] = process.argv;
const program: unknown = JSON.parse(argv);
if (!Array.isArray(program)) {
  throw new Error('usage: plainRemoteRelay.ts STORAGE KEY ARGV');
}
const sandbox = await plainRemoteProvider(folder).create({ key, acceptNoIsolation: true, mounts: [] });
await sandbox.start('agent', program.map(String), { cwd: sandbox.paths.workspace, env: {} });
process.stdout.write('started\n');
setInterval(() => {}, 60_000);
