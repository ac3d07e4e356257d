import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { OutboxFolder } from '../../client/outboxFolder.ts';
import { newId } from '../../protocol/ids.ts';
import type { OutboxEntry } from '../../protocol/outbox.ts';
import { OutboxSender } from '../../protocol/outboxSender.ts';
import { OutboxRelay } from '../support/outboxWorld.ts';
import { ROOT, temporaryFolder, testMark } from '../support/relayProcess.ts';
import { until } from '../support/wireUntil.ts';

describe('the outbox in a folder', () => {
  let scratch: Awaited<ReturnType<typeof temporaryFolder>>;
  let folder: string;
  const sessionId = newId('ses');
  const waiting = (typedAt = 1): OutboxEntry => ({
    key: newId('key'),
    relay: 'r',
    sessionId,
    typedAt,
    content: { kind: 'message', text: 'Grüße 👋\n\u0000' },
    status: { kind: 'waiting' },
  });

  beforeEach(async () => {
    scratch = await temporaryFolder();
    folder = join(scratch.path, 'outbox');
  });
  afterEach(() => scratch.remove());

  it('gives back what was put in, in order, and leaves alone what is no entry', async () => {
    const storage = new OutboxFolder(folder);
    assert.deepEqual(await storage.load(), []);
    const [late, early] = [waiting(2), waiting(1)];
    await storage.add(late);
    await storage.add(early);
    await writeFile(join(folder, `${newId('key')}.waiting.json`), '{"torn');
    await writeFile(join(folder, 'notes.txt'), 'mine');
    assert.deepEqual(await new OutboxFolder(folder).load(), [early, late]);
    assert.equal((await readdir(folder)).length, 4);
  });

  it('lets one of two windows have an entry', async () => {
    const [one, two] = [new OutboxFolder(folder), new OutboxFolder(folder)];
    const entry = waiting();
    await one.add(entry);
    const results = await Promise.all([one.move(entry, { kind: 'sending' }), two.remove(entry)]);
    assert.equal(results.filter(won => won).length, 1);
  });

  it('keeps the reason of a refusal', async () => {
    const storage = new OutboxFolder(folder);
    const entry = waiting();
    await storage.add(entry);
    const problem = { code: 'conflict', retryable: false, message: 'The session is archived.' } as const;
    await storage.move(entry, { kind: 'refused', problem });
    assert.deepEqual(await storage.load(), [{ ...entry, status: { kind: 'refused', problem } }]);
  });

  it('has lost nothing that was durable when its program is killed, and sends it once and in order', async function () {
    this.timeout(60_000);
    const child = spawn(process.execPath, [join(ROOT, 'test/support/typeForever.ts'), folder, sessionId], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...testMark() },
    });
    let durable = 0;
    createInterface({ input: child.stdout }).on('line', line => (durable = Number(line)));
    try {
      await until(() => durable >= 20, 40_000);
    } finally {
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
    }
    const relay = new OutboxRelay();
    const sender = new OutboxSender({ storage: new OutboxFolder(folder), send: relay.send, onChange: () => {} });
    await sender.load();
    // One more may have become durable while the killing was under way.
    const kept = sender.entries.length;
    assert.ok(kept === durable || kept === durable + 1, `${kept} of ${durable}`);
    sender.connected('r');
    await until(() => relay.logOf(sessionId).length === kept, 40_000);
    assert.deepEqual(
      relay.logOf(sessionId),
      Array.from({ length: kept }, (_, index) => `message ${index + 1}`),
    );
    await until(async () => (await new OutboxFolder(folder).load()).length === 0);
    sender.dispose();
  });
});
