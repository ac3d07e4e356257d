import { Daytona } from '@daytonaio/sdk';
import type { DaytonaEmulator } from './daytonaEmulator.ts';

/** A machine with a clone of a bundle in it, by nothing but the SDK: what every start needs at least. */
export async function daytonaBareStart({ apiKey, url }: DaytonaEmulator, bundle: Buffer): Promise<void> {
  const daytona = new Daytona({ apiKey, apiUrl: `${url}/api`, target: 'us', useDeprecatedPolling: true });
  const sandbox = await daytona.create({ snapshot: 'base' });
  await sandbox.fs.uploadFile(bundle, '/home/daytona/bundle');
  const { exitCode, result } = await sandbox.process.executeCommand(
    'git clone -q bundle clone',
    undefined,
    undefined,
    60,
  );
  if (exitCode !== 0) {
    throw new Error(`The bare clone failed: ${result}`);
  }
  await sandbox.delete(60);
  await daytona[Symbol.asyncDispose]();
}
