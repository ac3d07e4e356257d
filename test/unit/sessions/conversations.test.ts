import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createLocalProvider } from '../../../server/src/sandboxes/local/localProvider.ts';
import type { Sandbox } from '../../../server/src/sandboxes/provider.ts';
import { Conversations } from '../../../server/src/sessions/conversations.ts';

const ID = 'ses_01234567890123456789012345';

describe('the copy of a conversation', function () {
  this.timeout(20_000);
  let folder: string;
  let sandbox: Sandbox;
  let path: string;
  let conversations: Conversations;
  const line = (text: string) => `${JSON.stringify({ text })}\n`;
  const saved = () => readFile(join(folder, 'copies', `${ID}.jsonl`), 'utf8');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandpiper-test-'));
    const provider = createLocalProvider({ folder: join(folder, 'boxes'), log: { log: () => {} }, path: '' });
    sandbox = await provider.create({ key: ID, acceptNoIsolation: true, mounts: [] });
    path = `${sandbox.paths.home}/projects/conversation.jsonl`;
    conversations = new Conversations(join(folder, 'copies'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is none where there is none', async () => {
    assert.equal(await conversations.save(ID, sandbox, path), 0);
    assert.equal(await conversations.read(ID), undefined);
  });

  it('grows with what is new, and comes back whole', async () => {
    const big = line('x'.repeat(3_000_000));
    await sandbox.writeFile(path, Buffer.from(line('one')));
    await conversations.save(ID, sandbox, path);
    await sandbox.writeFile(path, Buffer.from(line('one') + big));
    assert.equal(await conversations.save(ID, sandbox, path), (line('one') + big).length);
    assert.equal(await saved(), line('one') + big);
    assert.equal((await conversations.read(ID))?.toString(), line('one') + big);
  });

  it('begins anew when the file is another one', async () => {
    await sandbox.writeFile(path, Buffer.from(line('one') + line('two')));
    await conversations.save(ID, sandbox, path);
    await sandbox.writeFile(path, Buffer.from(line('other')));
    await conversations.save(ID, sandbox, path);
    assert.equal(await saved(), line('other'));
  });

  it('goes on after a copy that was cut off, and never hands out half a line', async () => {
    await sandbox.writeFile(path, Buffer.from(line('one') + line('two')));
    await conversations.save(ID, sandbox, path);
    const copy = join(folder, 'copies', `${ID}.jsonl`);
    await truncate(copy, line('one').length + 3);
    assert.equal((await conversations.read(ID))?.toString(), line('one'));
    await sandbox.writeFile(path, Buffer.from(line('one') + line('two')));
    await conversations.save(ID, sandbox, path);
    assert.equal(await saved(), line('one') + line('two'));
    await writeFile(copy, '');
    await appendFile(copy, 'half');
    assert.equal(await conversations.read(ID), undefined);
  });
});
