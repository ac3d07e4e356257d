import { readdir } from 'node:fs/promises';
import { silentLogger } from '../../server/src/core/log.ts';
import { createLocalProvider } from '../../server/src/sandboxes/local/localProvider.ts';

/* Uses a sandbox from beginning to end, as the user that runs it, and tells what it found as JSON: `node ... STORAGE`. */
const [, , folder = ''] = process.argv;
const provider = createLocalProvider({ folder, log: silentLogger, path: process.env['PATH'] ?? '' });
const sandbox = await provider.create({ key: 'user', acceptNoIsolation: false, mounts: [] });
const { workspace } = sandbox.paths;
await sandbox.writeFile(`${workspace}/folder/file`, Buffer.from('from the relay'));
const script = `cat folder/file; printf 'from the sandbox' > folder/file; mkdir closed; touch closed/f; chmod 0 closed; setsid sleep 1000 &`;
const { stdout: fromRelay } = await sandbox.exec(['sh', '-c', script], { timeoutMs: 9000 });
const { stdout: user } = await sandbox.exec(['id'], { timeoutMs: 9000 });
const closed = await sandbox.readFrom(`${workspace}/closed/f`, 0, 9);
await sandbox.start('agent', ['sh', '-c', 'setsid sleep 1000 & sleep 1000'], { cwd: workspace, env: {} });
const started = await sandbox.alive('agent');
await sandbox.kill('agent');
const killed = started && !(await sandbox.alive('agent'));
const { data } = await sandbox.readFrom(`${workspace}/folder/file`, 0, 99);
await provider.destroy(sandbox.ref);
process.stdout.write(
  JSON.stringify({
    isolation: sandbox.isolation,
    user: user.toString().trim(),
    fromRelay: fromRelay.toString(),
    fromSandbox: data.toString(),
    closedFile: { data: closed.data.toString(), missing: closed.missing },
    killed,
    left: await readdir(folder),
  }),
);
