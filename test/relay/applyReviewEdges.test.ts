import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import type { StepInput } from '../support/modelScript.ts';
import { MAIN, temporaryFolder } from '../support/relayProcess.ts';
import { untilStopped } from '../support/stoppedProcess.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const STOP_AT = new URL('../support/stopRelayAt.ts', import.meta.url).href;
const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const bash = (command: string): StepInput[] => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];
const withLines = (changes: Record<number, string>): string =>
  `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;
const write = (text: string): string => `printf '${text.replaceAll('\n', '\\n')}' > list.txt`;

describe('a submitted review that something comes in the way of', function () {
  this.timeout(120_000);
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanups.splice(0).toReversed()) {
      await cleanUp();
    }
  });

  async function open(env: Record<string, string> = {}, command?: string[]): Promise<Workshop> {
    const shop = await openWorkshop(env, command);
    cleanups.push(() => shop.dispose());
    return shop;
  }
  const content = (shop: Workshop, sessionId: string) =>
    shop.client.call('changes.file', { sessionId, side: 'proposed', path: 'list.txt' });
  /** Two turns: the second changed the first line; the reviewer typed into the fifth. */
  async function reviewed(shop: Workshop): Promise<string> {
    const id = await shop.begin(bash(write(withLines({}))));
    await shop.until(id, 'the first turn', idle(1));
    await shop.send(id, bash(write(withLines({ 0: 'ONE' }))));
    await shop.until(id, 'the second turn', idle(2));
    await shop.client.call('review.edit', {
      sessionId: id,
      path: 'list.txt',
      content: Buffer.from(withLines({ 0: 'ONE', 4: 'mine' })).toString('base64'),
      expected: (await content(shop, id)).blob,
    });
    return id;
  }
  const submit = (shop: Workshop, sessionId: string, script: StepInput[]) =>
    shop.client.call('review.submit', { sessionId, text: `Look. @@${JSON.stringify(script)}` }, { timeoutMs: 60_000 });
  const heard = (shop: Workshop) =>
    shop.model
      .requests()
      .flatMap(({ prompt }) => prompt)
      .findLast(text => text.startsWith('This is my review'));

  it('is brought into the files of a turn that is restored before its own begins', async () => {
    const scratch = await temporaryFolder();
    cleanups.push(() => scratch.remove());
    const go = join(scratch.path, 'go');
    const shop = await open({ TEST_STOP_AT: 'apply', TEST_STOP_UNTIL: go }, ['--import', STOP_AT, MAIN]);
    const id = await reviewed(shop);
    const submitting = submit(shop, id, bash('cat list.txt'));
    await untilStopped(shop.relay.pid ?? 0);
    // Asked while the review is on its way into the files: it is there before that ends, and so comes between.
    const restoring = shop.client.call('checkpoint.restore', {
      sessionId: id,
      turn: 1,
      code: true,
      conversation: false,
      stop: true,
    });
    await writeFile(go, '');
    process.kill(shop.relay.pid ?? 0, 'SIGCONT');
    await Promise.all([submitting, restoring]);
    const state = await shop.until(id, 'the turn of the review', idle(3), 60_000);

    const order = (await shop.events(id)).flatMap(({ body }) =>
      ['reviewApplied', 'restoreFinished', 'turnStarted'].includes(body.type) ? [body.type] : [],
    );
    assert.deepEqual(order.slice(2), ['reviewApplied', 'restoreFinished', 'reviewApplied', 'turnStarted']);
    const expected = withLines({ 4: 'mine' });
    const tool = state.items.findLast(item => item.kind === 'tool');
    assert.ok(tool?.kind === 'tool' && tool.output?.text.trimEnd() === expected.trimEnd(), 'what the agent saw');
    assert.match(heard(shop) ?? '', /my own edits are in them\. Read a file again before you change it\.\n$/);
    assert.equal(await readFile(join(await shop.workspace(id), 'list.txt'), 'utf8'), expected);
    assert.equal((await content(shop, id)).content, expected);
  });

  it('is left to the agent, who is told so, when it cannot be brought into the files', async () => {
    const shop = await open();
    const id = await reviewed(shop);
    const workspace = await shop.workspace(id);
    // Where the list of what to commit is to be written.
    const inTheWay = join(workspace, '../journal/checkpoint/untracked.raw');
    await rm(inTheWay, { force: true });
    await mkdir(inTheWay);
    await submit(shop, id, bash('until [ -e go ]; do sleep 0.1; done'));
    await shop.until(id, 'the failure', ({ feedback }) => feedback?.submissions[0]?.applied !== undefined, 60_000);
    await rm(inTheWay, { recursive: true });
    await writeFile(join(workspace, 'go'), '');
    const state = await shop.until(id, 'the turn of the review', idle(3), 60_000);
    const [event] = (await shop.events(id)).flatMap(({ body }) => (body.type === 'reviewApplied' ? [body] : []));
    assert.ok(event?.failure !== undefined && event.files === 0, 'why it failed');
    assert.match(heard(shop) ?? '', /Your files still have what I rejected and do not have my own edits/);
    assert.ok(
      state.items.some(item => item.kind === 'notice' && item.text.startsWith('The review could not be brought into')),
      'the person reads it too',
    );
    assert.equal(await readFile(join(workspace, 'list.txt'), 'utf8'), withLines({ 0: 'ONE' }));
    assert.equal((await content(shop, id)).content, withLines({ 0: 'ONE', 4: 'mine' }), 'the edit stays');
  });
});
