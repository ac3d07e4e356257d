import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import type { StepInput } from '../support/modelScript.ts';
import { MAIN, temporaryFolder } from '../support/relayProcess.ts';
import { untilStopped } from '../support/stoppedProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const STOP_AT = new URL('../support/stopRelayAt.ts', import.meta.url).href;
const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const DONE =
  'What is rejected is already taken out of your files, and my own edits are in them. Read a file again before you change it.';

describe('a submitted review in the agent’s files', function () {
  this.timeout(120_000);
  let shop: Workshop;
  afterEach(() => shop.dispose());

  const withLines = (changes: Record<number, string>): string =>
    `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;
  const bash = (command: string): StepInput[] => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];
  const write = (text: string): string => `printf '${text.replaceAll('\n', '\\n')}' > list.txt`;
  const list = (sessionId: string) => shop.client.call('review.list', { sessionId });
  const content = async (sessionId: string, side: 'accepted' | 'proposed' = 'proposed') =>
    shop.client.call('changes.file', { sessionId, side, path: 'list.txt' });
  const onDisk = async (sessionId: string) => readFile(join(await shop.workspace(sessionId), 'list.txt'), 'utf8');
  const edit = async (sessionId: string, text: string) =>
    shop.client.call('review.edit', {
      sessionId,
      path: 'list.txt',
      content: Buffer.from(text).toString('base64'),
      expected: (await content(sessionId)).blob,
    });
  /** A session with lines one and five changed by its second turn; the first is rejected, line three is the reviewer's. */
  async function reviewed(): Promise<string> {
    const id = await shop.begin(bash(write(withLines({}))));
    const { proposed } = await shop.until(id, 'the first turn', idle(1));
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed });
    await shop.send(id, bash(write(withLines({ 0: 'ONE', 4: 'FIVE' }))));
    await shop.until(id, 'the second turn', idle(2));
    const { accepted, proposed: seen, files } = await list(id);
    await shop.client.call('review.decide', {
      sessionId: id,
      verdict: 'reject',
      files: [{ path: 'list.txt', hunks: [files[0]?.hunks[0]?.id ?? ''] }],
      expected: { accepted, proposed: seen },
    });
    await edit(id, withLines({ 2: 'mine', 4: 'FIVE' }));
    return id;
  }
  /** Submits with a comment that is a script for the model. */
  async function submit(sessionId: string, steps: readonly StepInput[], key?: string) {
    const { blob } = await content(sessionId);
    await shop.client.call('review.comment', {
      sessionId,
      target: { kind: 'lines', side: 'proposed', path: 'list.txt', object: blob ?? '', lines: { start: 4, count: 1 } },
      text: `Look. @@${JSON.stringify(steps)}`,
    });
    return shop.client.call(
      'review.submit',
      { sessionId, ...(key === undefined ? {} : { key }) },
      { timeoutMs: 60_000 },
    );
  }
  /** What the agent wrote to the model of the submission. */
  const heard = () =>
    shop.model
      .requests()
      .flatMap(({ prompt }) => prompt)
      .findLast(text => text.startsWith('This is my review'));
  const applied = async (sessionId: string) =>
    (await shop.events(sessionId)).flatMap(({ body }) => (body.type === 'reviewApplied' ? [body] : []));

  it('is there before the turn begins, and the agent hears so, word for word', async () => {
    shop = await openWorkshop();
    const id = await reviewed();
    const { messageId } = await submit(id, bash('cat list.txt'));
    const state = await shop.until(id, 'the turn of the review', idle(3));
    const tool = state.items.findLast(item => item.kind === 'tool');
    const expected = withLines({ 2: 'mine', 4: 'FIVE' });
    assert.ok(tool?.kind === 'tool' && tool.output?.text.trimEnd() === expected.trimEnd(), 'what the agent saw');
    const message = state.items.find(({ id: itemId }) => itemId === messageId);
    assert.ok(message?.kind === 'message');
    assert.equal(heard(), `${message.text}\n${DONE}\n`);
    const [event, ...more] = await applied(id);
    assert.deepEqual([event?.files, event?.left, event?.failure, more.length], [1, [], undefined, 0]);
    assert.equal(await onDisk(id), expected);
    assert.equal((await content(id)).content, expected);
    assert.equal(state.review.pending, 2, 'line five, and the reviewer’s own line three');

    // All is told: the next submission has only what came since.
    await edit(id, withLines({ 2: 'mine', 4: 'FIVE', 8: 'more' }));
    const second = await shop.client.call('review.submit', { sessionId: id });
    assert.deepEqual([second.rejections, second.edits, second.comments], [0, 1, 0]);
    const after = await shop.until(id, 'the second review', idle(4));
    assert.match(heard() ?? '', /## E1 list\.txt|## E2 list\.txt/);
    assert.equal(after.feedback?.submissions[1]?.items[0]?.hunks, 1);
  });

  it('is built on by the agent, and is not undone by it', async () => {
    shop = await openWorkshop();
    const id = await reviewed();
    // It adds a line next to the reviewer's.
    const built = withLines({ 2: 'mine\nafter mine', 4: 'FIVE' });
    await submit(id, bash(write(built)));
    const state = await shop.until(id, 'the turn of the review', idle(3));
    assert.deepEqual(state.review.conflicts, []);
    assert.equal((await content(id)).content, built, 'what was built is there');
    const again = await reviewed();
    await submit(again, bash(write(withLines({ 0: 'ONE', 4: 'FIVE' }))));
    await shop.until(again, 'the turn of the review', idle(3));
    assert.equal((await content(again)).content, withLines({ 2: 'mine', 4: 'FIVE' }), 'what was put back stays out');
    const both = await reviewed();
    await submit(both, bash(write(withLines({ 0: 'ONE', 2: 'mine\nafter mine', 4: 'FIVE' }))));
    const shown = await shop.until(both, 'the turn of the review', idle(3));
    assert.equal((await content(both)).content, withLines({ 2: 'mine', 4: 'FIVE' }));
    assert.equal(shown.review.conflicts[0]?.path, 'list.txt', 'a person decides on both in one file');
  });

  it('loses nothing that was done in the sandbox since the checkpoint', async () => {
    shop = await openWorkshop();
    const id = await reviewed();
    const workspace = await shop.workspace(id);
    await writeFile(join(workspace, 'list.txt'), withLines({ 0: 'ONE', 2: 'also here', 4: 'FIVE', 8: 'NINE' }));
    await writeFile(join(workspace, 'other.txt'), 'late\n');
    await submit(id, bash('cat list.txt'));
    const state = await shop.until(id, 'the turn of the review', idle(3));
    const [event] = await applied(id);
    assert.deepEqual([event?.left, event?.files], [['list.txt'], 0]);
    assert.match(heard() ?? '', /Not so in `list\.txt`: you changed the same lines since\./);
    assert.equal(await onDisk(id), withLines({ 0: 'ONE', 2: 'also here', 4: 'FIVE', 8: 'NINE' }));
    assert.equal(
      (await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'other.txt' })).content,
      'late\n',
    );
    assert.deepEqual(
      state.review.conflicts.map(({ path }) => path),
      ['list.txt'],
    );
  });

  for (const point of ['apply', 'applied']) {
    it(`is there once when the relay is killed at "${point}"`, async () => {
      const go = join(await makeFlag(), 'go');
      shop = await openWorkshop({ TEST_STOP_AT: point, TEST_STOP_UNTIL: go }, ['--import', STOP_AT, MAIN]);
      const id = await reviewed();
      const key = `key_${point.padEnd(26, 'x')}`;
      const submitting = submit(id, bash('cat list.txt'), key);
      await untilStopped(shop.relay.pid ?? 0);
      await shop.relay.stop('SIGKILL');
      await writeFile(go, '');
      await shop.relay.start();
      await submitting;
      await shop.until(id, 'the turn of the review', idle(3), 40_000);
      const expected = withLines({ 2: 'mine', 4: 'FIVE' });
      assert.equal(await onDisk(id), expected);
      assert.equal((await content(id)).content, expected);
      const events = await shop.events(id);
      const count = (type: string) => events.filter(({ body }) => body.type === type).length;
      assert.deepEqual([count('reviewSubmitted'), count('reviewApplied'), count('messageTaken')], [1, 1, 3]);
      const [event] = await applied(id);
      assert.deepEqual([event?.files, event?.left], [1, []]);
      assert.ok(heard()?.endsWith(`${DONE}\n`));
    });
  }

  async function makeFlag(): Promise<string> {
    const scratch = await temporaryFolder();
    cleanups.push(() => scratch.remove());
    return scratch.path;
  }
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(cleanups.splice(0).map(remove => remove()));
  });
});
