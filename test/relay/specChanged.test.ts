import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { findRelay } from '../../client/localRelay.ts';
import type { RelayClient } from '../../client/relayClient.ts';
import { newId } from '../../protocol/ids.ts';
import { Cli } from '../support/cliProcess.ts';
import { eventually } from '../support/eventually.ts';
import { command, specText } from '../support/specs.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const text = (title: string): string => specText(title, { One: [command('true')] });

describe('a change of a spec', function () {
  this.timeout(60_000);
  let shop: Workshop;
  let other: RelayClient;
  /** What the other client was told, and what it has after it has applied that to the list that it asked for. */
  let told: [title: string, revision: number, removed: boolean][];
  let known: Map<string, string>;

  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  beforeEach(async () => {
    other = shop.relay.client('other');
    told = [];
    known = new Map();
    other.onNotification('spec.changed', ({ spec }) => {
      told.push([spec.title, spec.revision, spec.removed]);
      known.delete(spec.specId);
      if (!spec.removed) {
        known.set(spec.specId, spec.title);
      }
    });
    other.connect();
    await list();
  });
  afterEach(() => {
    other.dispose();
  });

  /** Again when something was told meanwhile: the list may have been read before it. */
  async function list(): Promise<void> {
    const before = told.length;
    const { specs } = await other.call('spec.list', {});
    if (told.length !== before) {
      return list();
    }
    known = new Map(specs.map(({ specId, title }) => [specId, title]));
  }

  /** What the other client knows is what the relay has. */
  async function same(): Promise<void> {
    const { specs } = await shop.client.call('spec.list', {});
    assert.deepEqual(known, new Map(specs.map(({ specId, title }) => [specId, title])));
  }

  it('is told to every other client: written, renamed, removed and put back, each once', async () => {
    const key = newId('key');
    const { specId } = await shop.client.call('spec.create', { key, text: text('First') });
    await shop.client.call('spec.create', { key, text: text('First') });
    const save = { specId, text: text('Renamed') };
    await shop.client.call('spec.save', { ...save, expectedRevision: 1 });
    await shop.client.call('spec.save', { ...save, expectedRevision: 2 });
    await assert.rejects(shop.client.call('spec.save', { ...save, text: text('Late'), expectedRevision: 1 }), {
      code: 'stale',
    });
    await shop.client.call('spec.remove', { specId });
    await shop.client.call('spec.remove', { specId, removed: false });
    await eventually(() =>
      assert.deepEqual(told, [
        ['First', 1, false],
        ['Renamed', 2, false],
        ['Renamed', 2, true],
        ['Renamed', 2, false],
      ]),
    );
    await same();
  });

  it('is told when the command line, a script over REST or an agent makes it', async () => {
    const cli = new Cli(shop.dataFolder);
    const file = join(shop.folder, 'spec.md');
    await writeFile(file, text('From a file'));
    const made = await cli.run(['spec', 'new', file]);
    assert.equal(made.code, 0, made.stderr);
    const found = await findRelay(shop.dataFolder);
    const posted = await fetch(`${found?.url}/v1/specs`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${found?.token}`,
        'content-type': 'application/json',
        'idempotency-key': newId('key'),
      },
      body: JSON.stringify({ text: text('From a script') }),
    });
    assert.equal(posted.status, 200);
    const answer = `\`\`\`\`\`\`spec\n${text('From an agent')}\`\`\`\`\`\`\n`;
    const sessionId = await shop.begin([{ text: 'What do you want?' }, { text: answer }]);
    await shop.until(sessionId, 'the talk', ({ turns, phase }) => turns.length === 1 && phase.kind === 'idle');
    await shop.client.call('spec.extract', { sessionId });
    await eventually(
      () =>
        assert.deepEqual(
          told.map(([title]) => title),
          ['From a file', 'From a script', 'From an agent'],
        ),
      20_000,
    );
    await same();
  });

  it('is not missed by a client that was away, nor by one whose relay was killed', async () => {
    const { specId } = await shop.client.call('spec.create', { text: text('Before') });
    await eventually(() => assert.equal(told.length, 1));
    other.disconnect();
    await shop.client.call('spec.remove', { specId });
    await shop.client.call('spec.create', { text: text('While it was away') });
    other.connect();
    const listing = list();
    const during = shop.client.call('spec.create', { text: text('While it asks') });
    await Promise.all([listing, during]);
    await eventually(same);
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    await list();
    await shop.client.call('spec.create', { text: text('After the kill') });
    await eventually(() => assert.ok([...known.values()].includes('After the kill')));
    await same();
  });
});
