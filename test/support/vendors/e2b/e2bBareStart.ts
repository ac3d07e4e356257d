import { Sandbox } from 'e2b';
import type { E2bEmulator } from './e2bEmulator.ts';

/** A machine with a clone of a bundle in it, by nothing but the SDK: what every start needs at least. */
export async function e2bBareStart({ apiKey, url }: E2bEmulator, bundle: Buffer): Promise<void> {
  const sandbox = await Sandbox.create('base', { apiKey, apiUrl: url, sandboxUrl: url });
  await sandbox.files.write('/home/user/bundle', new Uint8Array(bundle).buffer);
  await sandbox.commands.run('git clone -q /home/user/bundle /home/user/clone');
  await sandbox.kill();
}
