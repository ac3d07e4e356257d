import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { CallResult } from '../../protocol/calls.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import type { SessionState } from '../../protocol/session.ts';
import { readRelayAddress } from '../../client/relayAddress.ts';
import { Cli } from '../support/cliProcess.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { dataFolderTools } from '../../server/src/dataFolderTools.ts';
import { openSearchIndex } from '../../server/src/store/sqlite/searchIndex.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('search over all sessions', function () {
  this.timeout(180_000);
  let shop: Workshop;
  let first: string;
  let second: string;

  const search = (query: string, archived = true): Promise<CallResult<'session.search'>> =>
    shop.client.call('session.search', { query, archived });
  const places = async (query: string): Promise<string[]> =>
    (await search(query)).hits.map(({ sessionId, kind }) => `${sessionId === first ? 'first' : 'second'} ${kind}`);

  before(async () => {
    shop = await openWorkshop();
    first = await shop.begin([
      { tool: 'Bash', input: { command: 'echo pomegranate > fruit.txt && cat fruit.txt' } },
      { text: 'The walnut is in the basket.' },
    ]);
    second = await shop.begin([{ text: 'No fruit here.' }]);
    await shop.until(first, 'one turn', idle(1));
    await shop.until(second, 'one turn', idle(1));
  });
  after(async () => {
    await shop.dispose();
  });

  it('finds what was asked, done and answered, with the place', async () => {
    const { hits, more } = await search('walnut BASKET');
    const answer = hits.find(({ kind }) => kind === 'text');
    assert.equal(answer?.sessionId, first);
    assert.deepEqual(
      answer?.snippet.marks.map(([from, to]) => answer.snippet.text.slice(from, to)),
      ['walnut', 'basket'],
    );
    const state = await shop.client.call('session.get', { sessionId: first });
    assert.ok(state.items.some(item => item.id === answer?.itemId));
    assert.equal(more, false);
    assert.ok((await places('pomegranate')).includes('first tool'));
  });

  it('is in step with the log: what comes later is found by the next search', async () => {
    assert.deepEqual(await places('"blue heron"'), []);
    await shop.send(second, [{ text: 'I saw a blue heron.' }]);
    await shop.until(second, 'two turns', idle(2));
    assert.ok((await places('"blue heron"')).includes('second text'));
    // Its title is of the first message; the message itself holds the script.
    assert.equal((await search('heron')).hits[0]?.sessionId, second);
  });

  it('leaves archived sessions out when it is asked to', async () => {
    await shop.client.call('session.archive', { sessionId: second, archived: true });
    assert.equal((await search('heron', false)).hits.length, 0);
    assert.ok((await search('heron')).hits.every(hit => hit.archived));
    await shop.client.call('session.archive', { sessionId: second, archived: false });
  });

  it('answers over HTTP and on the command line', async () => {
    const address = await readRelayAddress(shop.dataFolder);
    assert.ok(address);
    const { url, token } = address;
    const response = await fetch(`${url}/v1/search?query=walnut&limit=1`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(response.status, 200);
    const cli = new Cli(shop.dataFolder);
    const { stdout, code } = await cli.run(['search', 'walnut', '--json']);
    assert.equal(code, 0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    assert.ok(lines.length > 0);
    const text = await cli.run(['search', 'no-such-thing-anywhere']);
    assert.equal(text.stdout, '');
    assert.match(text.stderr, /Nothing found/);
  });

  it('exports a session as a document, whole', async () => {
    const cli = new Cli(shop.dataFolder);
    const long = 'x'.repeat(50_000);
    const id = await shop.begin([{ text: `# Not a heading\n\n</details> ${long} end` }]);
    await shop.until(id, 'one turn', idle(1));
    const markdown = await cli.run(['export', id.slice(-8)]);
    assert.equal(markdown.code, 0, markdown.stderr);
    assert.match(markdown.stdout, /^# .*\n\n- Session: `ses_/);
    assert.match(markdown.stdout, /^## Turn 1$/m);
    assert.match(markdown.stdout, /^> # Not a heading$/m);
    assert.match(markdown.stdout, /x{50000} end/, 'what stands outside the log is in it');
    const file = join(shop.folder, 'out.json');
    assert.equal((await cli.run(['export', id, '--format', 'json', '--output', file])).code, 0);
    const exported: unknown = JSON.parse(await readFile(file, 'utf8'));
    assert.ok(isRecord(exported) && isRecord(exported['session']));
    assert.deepEqual(
      [exported['format'], exported['version'], exported['session']['id']],
      ['sandpiper-session', 1, id],
    );
    assert.match((await cli.run(['export', id, '--output', file])).stderr, /is there already/);
  });

  it('is looked at by doctor --deep, and made anew by its repair', async () => {
    await shop.relay.stop();
    const { dataFolder } = shop;
    const tools = dataFolderTools({ path: '' });
    const look = async (repair: boolean): Promise<string[]> => {
      const { findings } = await tools.checkDeeply({ dataFolder, repair, onProgress: () => undefined });
      return findings
        .filter(({ part }) => part === 'search')
        .map(({ text, repaired }) => `${repaired === true} ${text}`);
    };
    assert.deepEqual(await look(false), []);
    const index = await openSearchIndex({ file: join(dataFolder, 'search.db'), log: silentLogger });
    await index.add('ses_gone', 5, [], []);
    await index.add(first, 999_999, [], []);
    await index.close();
    const gone = 'The search index has the session ses_gone, which is gone.';
    const ahead = `The search index is ahead of the log of ${first}.`;
    assert.deepEqual((await look(false)).sort(), [`false ${gone}`, `false ${ahead}`].sort());
    assert.deepEqual((await look(true)).sort(), [`true ${gone}`, `true ${ahead}`].sort());
    assert.deepEqual(await look(false), []);
    await shop.relay.start();
    await eventually(async () => assert.ok((await places('walnut')).includes('first text')));
  });

  it('begins its index anew when it is broken, and forgets a deleted session at once', async () => {
    await shop.relay.stop();
    await writeFile(join(shop.dataFolder, 'search.db'), 'not a database '.repeat(1000));
    await shop.relay.start();
    await eventually(async () => assert.ok((await places('walnut')).includes('first text')));
    await shop.client.call('session.delete', { sessionId: first }, { timeoutMs: 60_000 });
    assert.deepEqual(await places('walnut'), []);
  });
});
