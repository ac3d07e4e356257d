import { appendFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeRelayAddress } from '../../client/relayAddress.ts';
import { startWireServer, WIRE_TOKEN } from './wireServer.ts';

/*
 * A process that takes the place of a relay when one is looked for and started: a lock that lets one win, an address
 * file, and the real wire. `wireStandIn.ts <dataFolder> <how>`; `how`: serve, fail, hang.
 */
const [, , dataFolder = '', how = 'serve'] = process.argv;
appendFileSync(join(dataFolder, 'started'), `${process.pid}\n`);

if (how === 'fail') {
  console.error('the stand-in fails as it was told');
  process.exit(3);
}
if (how === 'hang') {
  await sleep(60_000);
}
const lockFile = join(dataFolder, 'lock');
try {
  await (await open(lockFile, 'wx')).close();
} catch {
  console.error('another relay runs on this data folder');
  process.exit(4);
}
// The loser of a race has gone before the winner answers.
await sleep(300);
const server = await startWireServer();
await writeRelayAddress(dataFolder, { url: server.url, token: WIRE_TOKEN, version: '0.0.0', pid: process.pid });
process.on('SIGTERM', () => {
  void server
    .close()
    .then(() => rm(lockFile))
    .then(() => process.exit(0));
});
