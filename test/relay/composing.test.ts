import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import type { Item, SessionState } from '../../protocol/session.ts';
import { noisePng } from '../support/noisePng.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

type Message = Extract<Item, { kind: 'message' }>;

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const messages = (state: SessionState) => state.items.filter((item): item is Message => item.kind === 'message');
const words = (state: SessionState) => state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));
const runs = (state: SessionState) => state.items.some(item => item.kind === 'tool' && item.state === 'running');
/** Until the file is there, so that a test and not a clock says how long the turn runs. */
const WAIT = {
  tool: 'Bash',
  input: { command: 'until [ -e go ]; do python3 -c "import time; time.sleep(0.05)"; done' },
};

/** What a person does besides sending a message and waiting, with the real agent. */
describe('messages and settings while the agent works', function () {
  this.timeout(60_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  async function letGo(sessionId: string): Promise<void> {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${await shop.workspace(sessionId)}/go`, '');
  }

  it('steers: messages go into the turn that runs, and before what was queued', async () => {
    const sessionId = await shop.begin([WAIT, { text: 'Seen.' }]);
    await shop.until(sessionId, 'a tool that runs', runs);
    await shop.send(sessionId, [{ text: 'The queued one.' }]);
    await shop.client.call('session.send', { sessionId, text: 'Use tabs.', way: 'steer' });
    await shop.client.call('session.send', { sessionId, text: 'And no semicolons.', way: 'steer' });
    const steered = await shop.until(
      sessionId,
      'both on their way',
      state => messages(state).filter(m => m.delivery === 'sent').length === 2,
    );
    assert.deepEqual(
      messages(steered).map(({ delivery, way }) => [delivery, way]),
      [
        ['taken', undefined],
        ['queued', undefined],
        ['sent', 'steer'],
        ['sent', 'steer'],
      ],
    );
    await letGo(sessionId);
    const state = await shop.until(sessionId, 'two turns', idle(2));
    assert.deepEqual(
      messages(state).map(({ turn }) => turn),
      [1, 2, 1, 1],
    );
    assert.deepEqual(words(state), ['Seen.', 'The queued one.']);
    assert.ok(
      shop.model.lastConversation().some(part => JSON.stringify(part).includes('Use tabs.')),
      'the model saw it',
    );
  });

  it('takes a steered message that came too late for the turn as the next one', async () => {
    const sessionId = await shop.begin([{ text: 'A long last answer, in many pieces.', deltas: 10, delayMs: 150 }]);
    await shop.until(sessionId, 'a turn', state => state.phase.kind === 'working');
    await shop.client.call('session.send', { sessionId, text: 'One more @@[{"text":"The late one."}]', way: 'steer' });
    await shop.client.call('session.send', { sessionId, text: 'And more', way: 'steer' });
    const state = await shop.until(
      sessionId,
      'all taken and idle',
      now => idle(2)(now) && messages(now).every(m => m.delivery === 'taken'),
    );
    assert.ok(words(state).includes('The late one.'));
  });

  it('interrupts: stops the turn and hands the message over before all that wait', async () => {
    const sessionId = await shop.begin([WAIT, { text: 'Never said.' }]);
    await shop.until(sessionId, 'a tool that runs', runs);
    await shop.send(sessionId, [{ text: 'Third.' }]);
    await shop.client.call('session.send', { sessionId, text: 'Now @@[{"text":"Second."}]', way: 'interrupt' });
    const state = await shop.until(sessionId, 'three turns', idle(3));
    assert.deepEqual(
      state.turns.map(({ agent }) => agent?.outcome),
      ['stopped', 'completed', 'completed'],
    );
    assert.deepEqual(words(state), ['Second.', 'Third.']);
  });

  it('hurries and takes back what is queued, and refuses both when it is gone', async () => {
    const sessionId = await shop.begin([WAIT, { text: 'Done.' }]);
    await shop.until(sessionId, 'a tool that runs', runs);
    const taken = await shop.send(sessionId, 'Forget this');
    const hurried = await shop.send(sessionId, 'This matters');
    assert.equal((await shop.client.call('message.withdraw', { sessionId, messageId: taken })).text, 'Forget this');
    await shop.client.call('message.hurry', { sessionId, messageId: hurried, way: 'steer' });
    await assert.rejects(shop.client.call('message.withdraw', { sessionId, messageId: hurried }), { code: 'conflict' });
    await assert.rejects(shop.client.call('message.withdraw', { sessionId, messageId: taken }), { code: 'conflict' });
    await letGo(sessionId);
    const state = await shop.until(sessionId, 'one turn', idle(1));
    assert.deepEqual(
      messages(state).map(({ id, turn }) => [id === hurried, turn]),
      [
        [false, 1],
        [true, 1],
      ],
    );
    await assert.rejects(shop.client.call('message.hurry', { sessionId, messageId: hurried, way: 'steer' }), {
      code: 'conflict',
    });
  });

  it('changes model, effort and mode of an agent that works, and of the one that is started next', async () => {
    const sessionId = await shop.begin([{ tool: 'Bash', input: { command: 'touch go' } }, { text: 'Hm.' }], {
      permissionMode: 'ask',
    });
    const asked = await shop.until(sessionId, 'a question', state => state.approvals.length === 1);
    const { applies } = await shop.client.call('session.configure', {
      sessionId,
      model: 'claude-haiku-4-5',
      effort: 'low',
      permissionMode: 'acceptEdits',
    });
    assert.equal(applies, 'now');
    await shop.client.call('session.answer', {
      sessionId,
      approvalId: asked.approvals[0]?.id ?? '',
      decision: { kind: 'allow' },
    });
    const first = await shop.until(sessionId, 'one turn', idle(1));
    assert.deepEqual([first.model, first.effort, first.permissionMode], ['claude-haiku-4-5', 'low', 'acceptEdits']);
    assert.equal(shop.model.requests().at(-1)?.model, 'claude-haiku-4-5');
    await shop.send(sessionId, [
      { tool: 'Write', input: { file_path: `/workspace/new.txt`, content: 'x' } },
      { text: 'Written without a question.' },
    ]);
    const second = await shop.until(sessionId, 'two turns', state => idle(2)(state) || state.approvals.length > 0);
    assert.equal(second.approvals.length, 0);
    assert.equal(second.agent.segment, 1);
  });

  it('starts the agent again to let it go on without asking, and keeps the conversation', async () => {
    const sessionId = await shop.begin([{ text: 'First.' }], { permissionMode: 'ask' });
    await shop.until(sessionId, 'one turn', idle(1));
    const { applies } = await shop.client.call('session.configure', {
      sessionId,
      permissionMode: 'autopilot',
      model: null,
    });
    assert.equal(applies, 'nextTurn');
    await shop.send(sessionId, [{ tool: 'Bash', input: { command: 'touch unasked' } }, { text: 'Second.' }]);
    const state = await shop.until(sessionId, 'two turns', now => idle(2)(now) || now.approvals.length > 0);
    assert.equal(state.approvals.length, 0);
    assert.equal(state.agent.segment, 2);
    assert.deepEqual(words(state), ['First.', 'Second.']);
    assert.ok(!state.items.some(item => item.kind === 'notice' && item.level !== 'info'), 'nobody is alarmed');
    await shop.client.call('session.configure', { sessionId, permissionMode: 'plan' });
    const planned = await shop.client.call('session.get', { sessionId });
    assert.equal(planned.permissionMode, 'plan');
    await shop.send(sessionId, [{ text: 'Third.' }]);
    const third = await shop.until(sessionId, 'three turns', idle(3));
    assert.equal(third.agent.segment, 2);
    assert.equal(third.permissionMode, 'plan');
  });

  it('finds files by a few characters, fast among many, and the agent reads what is mentioned', async () => {
    const sessionId = await shop.begin([
      {
        tool: 'Bash',
        input: {
          command:
            'mkdir many; i=0; while [ $i -lt 20000 ]; do : > many/f$i.txt; i=$((i+1)); done; echo needle-in-the-hay > "many/the one.md"',
        },
      },
      { text: 'Made.' },
    ]);
    const first = await shop.until(sessionId, 'one turn', idle(1), 60_000);
    assert.ok(first.commands?.includes('compact'), 'the agent named its commands');
    assert.ok(!first.commands?.includes('clear'), 'not the one that would lose the conversation');
    const find = (query: string) => shop.client.call('changes.findPaths', { sessionId, query });
    const { paths, total } = await find('theone');
    assert.deepEqual(paths, ['many/the one.md']);
    assert.ok(total > 20_000);
    assert.equal((await find('f1')).paths.length, 20);
    assert.equal((await find('f1')).paths[0], 'many/f1.txt');
    await shop.client.call('session.send', { sessionId, text: 'Read @"many/the one.md" @@[{"text":"Read."}]' });
    await shop.until(sessionId, 'two turns', idle(2));
    const seen = shop.model.requests().flatMap(({ prompt }) => prompt);
    assert.ok(
      seen.some(text => text.includes('needle-in-the-hay')),
      'the content went along',
    );
  });

  it('sends images as they are, queued and steered, keeps them as blobs, and refuses what is none', async () => {
    const sessionId = await shop.begin([WAIT, { text: 'Looked.' }]);
    await shop.until(sessionId, 'a tool that runs', runs);
    const png = noisePng(700).toString('base64');
    const jpeg = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), randomBytes(1000)]).toString('base64');
    const image = { mediaType: 'image/png', content: png } as const;
    const queued = { sessionId, text: 'Next @@[{"text":"Seen too."}]', images: [image] };
    await shop.client.call('session.send', queued);
    const steered = { sessionId, text: 'Look', images: [{ mediaType: 'image/jpeg', content: jpeg } as const] };
    await shop.client.call('session.send', { ...steered, way: 'steer' });
    await assert.rejects(
      shop.client.call('session.send', { sessionId, text: 'x', images: [{ mediaType: 'image/gif', content: png }] }),
      { code: 'invalid_params' },
    );
    await assert.rejects(shop.client.call('session.send', { sessionId, text: 'x', images: [image, image] }), {
      code: 'invalid_params',
    });
    await letGo(sessionId);
    const state = await shop.until(sessionId, 'two turns', idle(2));
    const stored = messages(state).flatMap(({ images }) => images ?? []);
    assert.deepEqual(
      stored.map(({ mediaType }) => mediaType),
      ['image/png', 'image/jpeg'],
    );
    const blob = await shop.client.call('blob.read', { sessionId, hash: stored[0]?.hash ?? '', maxBytes: 4_000_000 });
    assert.equal(blob.content, png);
    const largest = Math.max(...shop.model.requests().map(({ bytes }) => bytes));
    assert.ok(largest > 500_000, `the model got it, in ${largest} bytes`);
  });
});
