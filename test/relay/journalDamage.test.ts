import assert from 'node:assert/strict';
import { appendFile, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { Item, SessionState } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const WORDS = Array.from({ length: 1000 }, (_, index) => `word${index}`).join(' ');
const SCRIPT = [
  { text: 'Before.', tool: 'Bash', input: { command: 'echo new > new.txt' } },
  { text: WORDS, deltas: 1000, delayMs: 10 },
];

describe('a damaged journal', function () {
  this.timeout(90_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const notices = ({ items }: SessionState) =>
    items.flatMap(item => (item.kind === 'notice' ? [item] : [])) satisfies Item[];

  /** A session in the middle of its turn, and the file that its agent writes to. */
  async function inTurn(): Promise<{ id: string; out: string }> {
    const id = await shop.begin(SCRIPT);
    await shop.until(id, 'the tool is done', ({ items }) => items.some(isDoneTool), 40_000);
    return { id, out: join(await shop.workspace(id), '../journal/1/out') };
  }

  /** The agent is ended, the log keeps what it had, and the conversation goes on in the same sandbox. */
  async function goesOn(id: string, words: RegExp): Promise<void> {
    const told = await shop.until(
      id,
      'the notice',
      state => notices(state).some(({ text }) => words.test(text)),
      30_000,
    );
    const notice = notices(told).find(({ text }) => words.test(text));
    assert.match(notice?.hint ?? '', /What stands above is whole.*Recover goes on/);
    assert.equal(notices(told).filter(({ text }) => words.test(text)).length, 1);
    assert.ok(told.items.some(isDoneTool));
    await shop.until(id, 'the next agent or the end', ({ agent }) => !agent.running || agent.segment > 1, 30_000);
    await shop.client.call('session.stop', { sessionId: id });
    await shop.until(id, 'nothing runs', ({ phase }) => phase.kind === 'idle', 30_000);
    await shop.send(id, [{ tool: 'Bash', input: { command: 'cat new.txt' } }, { text: 'After.' }]);
    const done = await shop.until(
      id,
      'the next turn',
      ({ items, phase }) =>
        phase.kind === 'idle' && items.some(item => item.kind === 'text' && item.text.text === 'After.'),
      40_000,
    );
    assert.equal(done.turns.at(-1)?.agent?.outcome, 'completed');
    assert.ok(done.items.some(item => isDoneTool(item) && item.output?.text.includes('new')));
  }

  it('that was cut is said in the session, destroys nothing, and the conversation goes on', async () => {
    const { id, out } = await inTurn();
    await truncate(out, 100);
    await goesOn(id, /^The journal of the agent (was cut|was replaced)/);
  });

  it('that vanished is said in the session, destroys nothing, and the conversation goes on', async () => {
    const { id, out } = await inTurn();
    await rm(out);
    await goesOn(id, /^The journal of the agent is gone/);
  });

  it('that was cut while no relay ran is found at the start', async () => {
    const { id, out } = await inTurn();
    await shop.relay.stop('SIGKILL');
    await truncate(out, 100);
    await shop.relay.start();
    await goesOn(id, /^The journal of the agent (was cut|was replaced)/);
  });

  it('with lines that are none says so once a line, keeps them, and goes on with the turn', async () => {
    const { id, out } = await inTurn();
    const garbage = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]);
    // Between two lines of the agent: its next write may come at any time, so it is tried until it was in between.
    await eventually(async () => {
      await appendFile(out, garbage);
      assert.ok((await readFile(out)).includes(Buffer.concat([Buffer.from('\n'), garbage])));
    });
    const state = await shop.until(
      id,
      'the turn',
      ({ phase, turns }) => phase.kind === 'idle' && turns.length === 1,
      60_000,
    );
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
    const told = notices(state).filter(({ text }) => /a line that could not be read/.test(text));
    assert.ok(told.length >= 1);
    assert.match(told[0]?.hint ?? '', /still in the journal/);
    assert.ok(state.items.some(item => item.kind === 'text' && item.text.text === WORDS));
    assert.ok((await readFile(out)).includes(garbage));
  });
});

function isDoneTool(item: Item): item is Extract<Item, { kind: 'tool' }> {
  return item.kind === 'tool' && item.state === 'ok';
}
