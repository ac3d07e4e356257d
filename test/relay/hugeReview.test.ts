import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const bash = (command: string) => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];
const FILES = 10_000;
const TIMEOUT_MS = 120_000;

describe('a review of very much', function () {
  this.timeout(300_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(() => shop.dispose());

  const list = (sessionId: string) => shop.client.call('review.list', { sessionId }, { timeoutMs: TIMEOUT_MS });
  const acceptAll = (sessionId: string, expectedProposed: string) =>
    shop.client.call('changes.acceptAll', { sessionId, expectedProposed }, { timeoutMs: TIMEOUT_MS });
  /** The most memory that the relay ever had. */
  const peakMb = async (): Promise<number> => {
    const status = await readFile(`/proc/${shop.relay.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  };

  it('lists and takes 10,000 files that came, and 10,000 that changed', async () => {
    const id = await shop.begin(bash(`mkdir many && (cd many && seq ${FILES} | split -l 1 -a 4 - f)`));
    const first = await shop.until(id, 'the first turn', idle(1), TIMEOUT_MS);
    assert.equal(
      (await shop.client.call('changes.list', { sessionId: id }, { timeoutMs: TIMEOUT_MS })).files.length,
      FILES,
    );
    assert.deepEqual((await acceptAll(id, first.proposed)).left, []);
    await shop.send(id, bash('(cd many && for f in *; do echo more >> $f; done)'));
    const second = await shop.until(id, 'the second turn', idle(2), TIMEOUT_MS);
    assert.equal(second.review.pending, FILES);
    const { files, accepted, proposed } = await list(id);
    assert.ok(files.length === FILES && files.every(({ hunks }) => hunks.length === 1));
    const chosen = files.slice(0, 9000).map(({ path, hunks }) => ({ path, hunks: hunks.map(hunk => hunk.id) }));
    const decided = await shop.client.call(
      'review.decide',
      { sessionId: id, verdict: 'reject', files: chosen, expected: { accepted, proposed } },
      { timeoutMs: TIMEOUT_MS },
    );
    assert.equal(decided.review.pending, FILES - chosen.length);
    await acceptAll(id, decided.proposed);
    assert.deepEqual((await list(id)).files, []);
    const megabytes = await peakMb();
    assert.ok(megabytes < 600, `the relay took ${megabytes} MB`);
  });

  it('lists and takes a change of more than 100 MB, whose files are decided as a whole', async () => {
    const write = (word: string) =>
      `for i in 1 2 3 4 5 6 7 8 9; do yes "${word} $i" | head -c 12000000 > big$i.txt; done; yes ${word} | head -c 30000000 > one.txt`;
    const id = await shop.begin(bash(`${write('before')}`));
    const first = await shop.until(id, 'the first turn', idle(1), TIMEOUT_MS);
    await acceptAll(id, first.proposed);
    await shop.send(id, bash(write('after')));
    await shop.until(id, 'the second turn', idle(2), TIMEOUT_MS);
    const { files, accepted, proposed } = await list(id);
    assert.equal(files.length, 10);
    // What of the diff is not read can be decided on as a whole.
    assert.ok(
      files.some(({ hunks }) => hunks.length === 0),
      JSON.stringify(files.map(({ hunks }) => hunks.length)),
    );
    const [last] = files.slice(-1);
    await shop.client.call(
      'review.decide',
      { sessionId: id, verdict: 'reject', files: [{ path: last?.path ?? '' }], expected: { accepted, proposed } },
      { timeoutMs: TIMEOUT_MS },
    );
    const { diff, truncated } = await shop.client.call('changes.diff', { sessionId: id }, { timeoutMs: TIMEOUT_MS });
    assert.ok(truncated && diff.length <= 5_000_000);
    const file = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'one.txt' });
    assert.deepEqual([file.tooLarge, file.content, file.bytes], [true, '', 30_000_000]);
    const rest = await list(id);
    await acceptAll(id, rest.proposed);
    assert.deepEqual((await list(id)).files, []);
    const megabytes = await peakMb();
    assert.ok(megabytes < 1000, `the relay took ${megabytes} MB`);
  });

  it('keeps bytes that are no UTF-8, hunk by hunk', async () => {
    const lines = Array.from({ length: 9 }, (_, index) => String.raw`l\303\050${index}\377`);
    const write = (first: string) => String.raw`printf '${[first, ...lines].join(String.raw`\n`)}\n' > latin.txt`;
    const id = await shop.begin(bash(write(String.raw`\351t\351`)));
    const first = await shop.until(id, 'the first turn', idle(1), TIMEOUT_MS);
    await acceptAll(id, first.proposed);
    await shop.send(id, bash(`${write(String.raw`\350re`)}; printf '\\374ber\\n' >> latin.txt`));
    await shop.until(id, 'the second turn', idle(2), TIMEOUT_MS);
    const { files, accepted, proposed } = await list(id);
    assert.deepEqual(
      files.map(({ path, hunks }) => [path, hunks.length]),
      [['latin.txt', 2]],
    );
    const hunk = files[0]?.hunks[1]?.id ?? '';
    await shop.client.call('review.decide', {
      sessionId: id,
      verdict: 'accept',
      files: [{ path: 'latin.txt', hunks: [hunk] }],
      expected: { accepted, proposed },
    });
    const taken = await shop.client.call('changes.file', { sessionId: id, side: 'accepted', path: 'latin.txt' });
    const middle = lines.map((_, index) => `l\u00c3\u0028${index}\u00ff`);
    const wanted = Buffer.from(`${['\u00e9t\u00e9', ...middle, '\u00fcber'].join('\n')}\n`, 'latin1');
    assert.equal(taken.encoding, 'base64');
    assert.deepEqual(Buffer.from(taken.content, 'base64'), wanted);
  });
});
