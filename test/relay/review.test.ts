import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { CallResult } from '../../protocol/calls.ts';
import type { SessionEvent } from '../../protocol/events.ts';
import type { SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const LINES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

describe('a review', () => {
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const bash = (command: string) => [{ tool: 'Bash', input: { command } }, { text: 'ok' }];
  const write = (lines: readonly string[]): string => `printf '%s\\n' ${lines.join(' ')} > list.txt`;
  const list = (sessionId: string) => shop.client.call('review.list', { sessionId });
  const content = async (sessionId: string, side: 'accepted' | 'proposed', path = 'list.txt') =>
    (await shop.client.call('changes.file', { sessionId, side, path })).content;
  const decide = (
    sessionId: string,
    verdict: 'accept' | 'reject',
    seen: CallResult<'review.list'>,
    hunks?: number[],
    path = 'list.txt',
  ) => {
    const file = seen.files.find(one => one.path === path);
    const names = hunks?.map(index => file?.hunks[index]?.id ?? '');
    return shop.client.call('review.decide', {
      sessionId,
      verdict,
      files: [{ path, ...(names ? { hunks: names } : {}) }],
      expected: { accepted: seen.accepted, proposed: seen.proposed },
    });
  };
  /** A session whose first turn made the list and had it accepted, and whose second changed lines of it. */
  const begin = async (changes: Record<number, string>): Promise<string> => {
    const id = await shop.begin(bash(write(LINES)));
    const { proposed } = await shop.until(id, 'the first turn', idle(1));
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed });
    await shop.send(id, bash(write(LINES.map((line, index) => changes[index] ?? line))));
    await shop.until(id, 'the second turn', idle(2));
    return id;
  };
  const withLines = (changes: Record<number, string>): string =>
    `${LINES.map((line, index) => changes[index] ?? line).join('\n')}\n`;

  it('takes hunks one by one, survives a kill in the middle, and is finished when nothing is pending', async () => {
    const id = await begin({ 0: 'ONE', 4: 'FIVE', 8: 'NINE' });
    const first = await list(id);
    assert.equal(first.review.pending, 3);
    await decide(id, 'accept', first, [1]);
    assert.equal(await content(id, 'accepted'), withLines({ 4: 'FIVE' }));
    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    // What was seen before still names the other hunks, though the accepted side has moved on.
    await decide(id, 'reject', first, [0]);
    assert.equal(await content(id, 'proposed'), withLines({ 4: 'FIVE', 8: 'NINE' }));
    const done = await decide(id, 'accept', first, [2]);
    assert.deepEqual(done.review, { pendingFiles: 0, pending: 0, reviewed: 2 });
    const state = await shop.client.call('session.get', { sessionId: id });
    assert.equal(state.review.pending, 0);
    assert.deepEqual((await list(id)).files, []);
  });

  it('refuses a decision on what is not there any more, and says so', async () => {
    const id = await begin({ 0: 'ONE', 8: 'NINE' });
    const seen = await list(id);
    await decide(id, 'accept', seen, [0]);
    await assert.rejects(decide(id, 'accept', seen, [0]), { code: 'stale' });
    await assert.rejects(decide(id, 'reject', seen), { code: 'stale' }, 'a whole file, seen before');
    assert.equal(await content(id, 'proposed'), withLines({ 0: 'ONE', 8: 'NINE' }));
  });

  it('opens again only what a new turn changed, and keeps what was rejected and typed', async () => {
    const id = await begin({ 0: 'ONE', 4: 'FIVE', 8: 'NINE' });
    const seen = await list(id);
    await decide(id, 'accept', seen, [0]);
    await decide(id, 'reject', seen, [1]);
    const now = await shop.client.call('session.get', { sessionId: id });
    const { files } = await list(id);
    assert.equal(files[0]?.hunks.length, 1);
    // The agent still has all three in its clone, and adds a fourth.
    await shop.send(
      id,
      bash(write(LINES.map((line, index) => ({ 0: 'ONE', 2: 'THREE', 4: 'FIVE', 8: 'NINE' })[index] ?? line))),
    );
    const state = await shop.until(id, 'the third turn', idle(3));
    assert.notEqual(state.proposed, now.proposed);
    assert.equal(await content(id, 'proposed'), withLines({ 0: 'ONE', 2: 'THREE', 8: 'NINE' }));
    const after = await list(id);
    assert.deepEqual(after.conflicts, []);
    assert.equal(after.review.pending, 2, 'the new line and the one that was never decided');
  });

  it('shows a conflict where the reviewer and the agent changed the same lines, and lets a person decide', async () => {
    const id = await begin({ 4: 'FIVE' });
    const edit = async (text: string) => {
      const { blob } = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'list.txt' });
      return shop.client.call('review.edit', {
        sessionId: id,
        path: 'list.txt',
        content: Buffer.from(text).toString('base64'),
        expected: blob,
      });
    };
    await edit(withLines({ 4: 'mine' }));
    assert.equal(await content(id, 'proposed'), withLines({ 4: 'mine' }));
    await shop.send(id, bash(write(LINES.map((line, index) => (index === 4 ? 'FIVE again' : line).replace(' ', '_')))));
    const state = await shop.until(id, 'the third turn', idle(3));
    assert.equal(state.review.conflicts[0]?.path, 'list.txt');
    assert.equal(await content(id, 'proposed'), withLines({ 4: 'mine' }), 'the reviewer’s text stays');
    await shop.client.call('review.resolve', { sessionId: id, path: 'list.txt', take: 'theirs' });
    assert.equal(await content(id, 'proposed'), withLines({ 4: 'FIVE_again' }));
    assert.deepEqual((await list(id)).conflicts, []);
    await assert.rejects(shop.client.call('review.resolve', { sessionId: id, path: 'list.txt', take: 'ours' }), {
      code: 'stale',
    });
  });

  it('takes any decision back, whatever came later', async () => {
    const id = await begin({ 0: 'ONE', 8: 'NINE' });
    const seen = await list(id);
    const { seq } = await decide(id, 'accept', seen, [0]);
    await decide(id, 'reject', seen, [1]);
    await shop.client.call('review.undo', { sessionId: id, seq });
    assert.equal(await content(id, 'accepted'), withLines({}));
    assert.equal(await content(id, 'proposed'), withLines({ 0: 'ONE' }), 'the later decision stays');
    await shop.client.call('review.undo', { sessionId: id });
    assert.equal(await content(id, 'proposed'), withLines({ 0: 'ONE', 8: 'NINE' }));
    assert.equal((await list(id)).review.pending, 2);
    await assert.rejects(shop.client.call('review.undo', { sessionId: id, seq }), { code: 'stale' });
    // What was seen first is on offer again, in whatever commit.
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: seen.proposed, confirmed: [] });
    assert.equal(await content(id, 'accepted'), withLines({ 0: 'ONE', 8: 'NINE' }));
  });

  it('never accepts sensitive files in bulk', async () => {
    const id = await shop.begin(bash('mkdir -p .vscode && echo "{}" > .vscode/tasks.json && echo a > a.txt'));
    const state = await shop.until(id, 'one turn', idle(1));
    const accept = { sessionId: id, expectedProposed: state.proposed };
    const { left } = await shop.client.call('changes.acceptAll', accept);
    assert.deepEqual(
      left.map(({ path }) => path),
      ['.vscode/tasks.json'],
    );
    assert.equal(await content(id, 'accepted', 'a.txt'), 'a\n');
    assert.deepEqual(
      (await list(id)).files.map(({ path }) => path),
      ['.vscode/tasks.json'],
    );
    const all = await shop.client.call('changes.acceptAll', { ...accept, confirmed: ['.vscode/tasks.json'] });
    assert.deepEqual(all.left, []);
    assert.equal((await list(id)).review.pending, 0);
  });

  it('tells a client the very event that the store has', async () => {
    const id = await shop.begin(bash('echo a > a.txt'));
    const { proposed } = await shop.until(id, 'one turn', idle(1));
    const live: SessionEvent[] = [];
    const following = shop.client.follow(id, (_mirror, change) => {
      live.push(...(change.kind === 'events' ? change.events : []));
    });
    await shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: proposed });
    const isDecision = ({ body }: SessionEvent): boolean => body.type === 'reviewDecided';
    await eventually(() => assert.ok(live.some(isDecision)));
    following.dispose();
    assert.deepEqual(live.find(isDecision), (await shop.events(id)).find(isDecision));
  });

  it('changes no work file, of the user or of the agent', async () => {
    const id = await begin({ 0: 'ONE' });
    await decide(id, 'reject', await list(id));
    assert.equal(await readFile(join(await shop.workspace(id), 'list.txt'), 'utf8'), withLines({ 0: 'ONE' }));
  });
});
