import { silentLogger } from '../../server/src/core/log.ts';
import { createLocalProvider } from '../../server/src/sandboxes/local/localProvider.ts';

/*
 * A relay to be killed: `node localRelay.ts PLATFORM STORAGE KEY ARGV` makes the sandbox of KEY, starts the JSON array ARGV
 * in it as "agent", says "started" and waits.
 */
const [, , platform, folder = '', key = '', argv = ''] = process.argv;
const program: unknown = JSON.parse(argv);
if (!Array.isArray(program) || (platform !== 'linux' && platform !== 'darwin')) {
  throw new Error('usage: localRelay.ts linux|darwin STORAGE KEY ARGV');
}
const provider = createLocalProvider({ folder, log: silentLogger, path: process.env['PATH'] ?? '', platform });
const sandbox = await provider.create({ key, acceptNoIsolation: platform === 'darwin', mounts: [] });
await sandbox.start('agent', program.map(String), { cwd: sandbox.paths.workspace, env: {} });
process.stdout.write('started\n');
setInterval(() => {}, 60_000);
