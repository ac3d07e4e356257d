import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { SecretSearch } from '../../server/src/redaction/secretSearch.ts';
import type { SessionState } from '../../protocol/session.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { commitAll, writeFiles } from '../support/tempRepository.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const FORGE_TOKEN = `ghp_${'Zz0'.repeat(12)}`;
const search = new SecretSearch([
  { name: 'key', value: REAL_KEY },
  { name: 'token', value: FORGE_TOKEN },
]);
const isClean = (text: string): boolean => search.redact(text).found.size === 0;

/** Whatever is said in a session, what the relay holds is not in its log: not in the events, nor beside them, nor live. */
describe('redaction of the log', function () {
  this.timeout(90_000);
  let shop: Workshop;

  before(async function () {
    requireOrSkip(this, 'redaction of the log', process.platform !== 'win32', 'its tools are POSIX ones');
    shop = await openWorkshop({ SANDPIPER_GITHUB_TOKEN: FORGE_TOKEN });
    // Somebody committed them: so the sandbox has what it should not.
    writeFiles(shop.repository, { 'leak.txt': `${REAL_KEY}\n`, 'token.txt': FORGE_TOKEN });
    commitAll(shop.repository, 'a mistake');
  });
  after(async () => {
    await shop?.dispose();
  });

  async function storedBeside(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
    const bad = await Promise.all(
      files.map(async file => (isClean((await readFile(file)).toString('latin1')) ? [] : [file])),
    );
    return bad.flat();
  }

  it('takes every secret that the relay holds out of events, blobs, live text and the database', async () => {
    // The first character escaped, so that the prompt itself has it not.
    const hidden = JSON.stringify(REAL_KEY)
      .replace('"s', String.raw`"\u0073`)
      .slice(1, -1);
    const commands = [
      'cat leak.txt token.txt',
      'base64 -w 20 leak.txt; xxd -p leak.txt || od -An -tx1 leak.txt | tr -d " \\n"',
      "printf x; cat leak.txt | base64; python3 -c \"import urllib.parse;print(urllib.parse.quote(open('leak.txt').read(), safe=''))\" || true",
    ];
    const steps = [
      { text: `I found HIDDEN in there, and HIDDEN again.`, deltas: 25 },
      ...commands.map(command => ({ tool: 'Bash', input: { command } })),
      { tool: 'Write', input: { file_path: '/workspace/large.txt', content: `${'x'.repeat(40_000)} HIDDEN` } },
      { text: 'Done.' },
    ].map(step => JSON.stringify(step).replaceAll('HIDDEN', hidden));
    // One answer of the model is a text with the first tool.
    const script = `Look. @@[${[`${(steps[0] ?? '').slice(0, -1)},${(steps[1] ?? '').slice(1)}`, ...steps.slice(2)].join(',')}]`;
    const live: string[] = [];
    const id = await shop.begin(script);
    const following = shop.client.follow(id, mirror => {
      live.push(JSON.stringify(mirror.live));
    });
    const state = await shop.until(
      id,
      'one turn',
      ({ phase, turns }: SessionState) => phase.kind === 'idle' && turns.length === 1,
      60_000,
    );
    following.dispose();
    const shown = JSON.stringify(state);
    assert.ok(isClean(shown), 'the state');
    assert.match(shown, /I found \[redacted: model key\] in there, and \[redacted: model key\] again\./);
    assert.match(shown, /\[redacted: forge token\]/);
    assert.match(shown, /had a secret in it \(model key\)/);
    assert.ok(isClean(JSON.stringify(await shop.events(id))), 'the events');
    assert.ok(
      live.some(text => text.includes('I found')),
      'live text was seen',
    );
    assert.ok(live.every(isClean), 'live text');
    const blobs = state.items.flatMap(item => (item.kind === 'tool' && item.input.blob ? [item.input.blob] : []));
    assert.equal(blobs.length, 1, 'one input was too large for the log');
    for (const { hash } of blobs) {
      const { content } = await shop.client.call('blob.read', { sessionId: id, hash, offset: 0 });
      const text = Buffer.from(content, 'base64').toString();
      assert.ok(isClean(text) && text.includes('[redacted: model key]'), 'the blob');
    }
    await shop.relay.stop();
    assert.deepEqual(await storedBeside(join(shop.dataFolder, 'blobs')), []);
    for (const name of (await readdir(shop.dataFolder)).filter(file => file.startsWith('relay'))) {
      assert.ok(isClean((await readFile(join(shop.dataFolder, name))).toString('latin1')), name);
    }
    assert.ok(isClean(shop.relay.log), 'what the relay writes about itself');
    await shop.relay.start();
  });

  it('does not let a prompt carry one into the log or the sandbox', async () => {
    const id = await shop.begin(`Use ${REAL_KEY} please @@[{"text":"Hm."}]`);
    const state = await shop.until(id, 'one turn', ({ phase, turns }) => phase.kind === 'idle' && turns.length === 1);
    assert.match(JSON.stringify(state.items), /Use \[redacted: model key\] please/);
    assert.ok(isClean(JSON.stringify(await shop.events(id))));
  });
});
