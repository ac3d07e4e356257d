import { silentLogger } from '../../server/src/core/log.ts';
import { openStore } from '../../server/src/store/sqlite/openStore.ts';
import { sampleAppend, sampleCall, sessionId } from './storeSamples.ts';

/*
 * A program to be killed: node appendForever.ts <file> <driver> appends to four sessions until it dies and writes
 * "<session> <last seq>" for each append once it is durable. Event n of a session brings journal offset 100 n, input n
 * and the record of call <session>-n.
 */

const [file = '', driver = ''] = process.argv.slice(2);
const store = await openStore({ file, log: silentLogger, driver: driver === 'node' ? 'node' : 'sqlite3' });

async function appendTo(id: string): Promise<never> {
  let seq = (await store.readSession(id))?.lastSeq ?? 0;
  for (;;) {
    const next = seq + 1;
    await store.append(
      sampleAppend(id, seq, [`event ${next}`], {
        journal: { segment: 1, offset: next * 100, decoder: JSON.stringify({ next }) },
        inputs: [{ segment: 1, number: next, line: `line ${next}` }],
        call: sampleCall(`${id}-${next}`),
      }),
    );
    seq = next;
    process.stdout.write(`${id} ${seq}\n`);
  }
}

await Promise.all([1, 2, 3, 4].map(number => appendTo(sessionId(number))));
