import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { SandpiperError } from '../../../protocol/errors.ts';
import { newId } from '../../../protocol/ids.ts';
import { dueEntries, statusAfterFailure, typedAtAfter } from '../../../protocol/outbox.ts';
import type { OutboxEntry } from '../../../protocol/outbox.ts';
import { OutboxSender } from '../../../protocol/outboxSender.ts';
import { eventually } from '../../support/eventually.ts';
import { MemoryOutbox, OutboxRelay } from '../../support/outboxWorld.ts';

const SESSIONS = [newId('ses'), newId('ses')] as const;

function entry(
  text: string,
  status: OutboxEntry['status'],
  typedAt: number,
  sessionId: string = SESSIONS[0],
): OutboxEntry {
  return { key: newId('key'), relay: 'r', sessionId, typedAt, content: { kind: 'message', text }, status };
}

type Step =
  | { kind: 'type' | 'answer'; session: 0 | 1 }
  /** The oldest approval that was answered here is answered in another window too. */
  | { kind: 'answerElsewhere' }
  | { kind: 'connect' | 'cut' | 'reload' | 'withdraw' | 'settle' }
  /** What the relay does with the next call. */
  | { kind: 'relay'; next: 'loseAck' | 'loseCall' | 'busy' | 'cutAfter' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('type' as const, 'type' as const, 'answer' as const),
      session: fc.constantFrom(0 as const, 1 as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('connect', 'cut', 'reload', 'withdraw', 'settle', 'answerElsewhere'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('relay' as const),
      next: fc.constantFrom('loseAck', 'loseCall', 'busy', 'cutAfter'),
    }),
  },
);

describe('outbox', () => {
  it('orders by when it was typed, also when the clock was set back', () => {
    const first = entry('a', { kind: 'waiting' }, 1_000);
    assert.equal(typedAtAfter([first], 10), 1_001);
    assert.equal(typedAtAfter([first], 5_000), 5_000);
  });

  it('lets one entry of each session out, never to another relay, and is not held up by a refused one', () => {
    const problem = { code: 'conflict', retryable: false, message: 'no' } as const;
    const refused = entry('refused', { kind: 'refused', problem }, 1);
    const first = entry('first', { kind: 'sending' }, 2);
    const second = entry('second', { kind: 'waiting' }, 3);
    const other = entry('other', { kind: 'waiting' }, 4, SESSIONS[1]);
    assert.deepEqual(dueEntries([refused, first, second, other], 'r'), [first, other]);
    assert.deepEqual(dueEntries([refused, first, second, other], 'another'), []);
  });

  it('keeps apart what nobody knows, what is refused this time and what is refused for good', () => {
    const after = (code: ConstructorParameters<typeof SandpiperError>[0]): string =>
      statusAfterFailure(new SandpiperError(code, 'x')).kind;
    assert.deepEqual(
      ['disconnected', 'timeout'].map(code => after(code === 'timeout' ? code : 'disconnected')),
      ['sending', 'sending'],
    );
    assert.equal(after('disk_full'), 'waiting');
    assert.equal(after('unauthorized'), 'waiting', 'the connection was refused, not the message');
    assert.equal(after('conflict'), 'refused');
    assert.equal(after('not_found'), 'refused');
  });

  it('keeps the text and the reason of what the relay refuses, and sends it again when told to', async () => {
    const relay = new OutboxRelay();
    const storage = new MemoryOutbox();
    const sender = new OutboxSender({ storage, send: relay.send, onChange: () => {} });
    relay.next.push('refuse');
    const key = newId('key');
    sender.connected('r');
    await sender.put({ key, relay: 'r', sessionId: SESSIONS[0], content: { kind: 'message', text: 'precious' } });
    const status = await sender.attempted(key);
    assert.equal(status?.kind === 'refused' && status.problem.code, 'conflict');
    const again = new OutboxSender({ storage, send: relay.send, onChange: () => {} });
    await again.load();
    assert.deepEqual(again.entries[0]?.content, { kind: 'message', text: 'precious' });
    again.connected('r');
    await again.tryAgain(key);
    assert.equal((await again.attempted(key))?.kind, 'accepted');
    assert.deepEqual(relay.logOf(SESSIONS[0]), ['precious']);
    sender.dispose();
    again.dispose();
  });

  it('says that what is on its way cannot be taken back', async () => {
    const relay = new OutboxRelay();
    const sender = new OutboxSender({ storage: new MemoryOutbox(), send: relay.send, onChange: () => {} });
    const key = newId('key');
    relay.next.push('loseCall');
    sender.connected('r');
    await sender.put({ key, relay: 'r', sessionId: SESSIONS[0], content: { kind: 'message', text: 'gone' } });
    await sender.attempted(key);
    await assert.rejects(sender.withdraw(key), { code: 'conflict' });
    sender.dispose();
  });

  it('brings each message into the log once and in order, and each answer once or never, whatever follows', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), steps => playsRight(steps)),
      { numRuns: 300 },
    );
  });

  it('sends an entry of two windows once, and takes it back in only one of them', async () => {
    const relay = new OutboxRelay();
    const storage = new MemoryOutbox();
    const one = new OutboxSender({ storage, send: relay.send, onChange: () => {} });
    const two = new OutboxSender({ storage, send: relay.send, onChange: () => {} });
    const key = newId('key');
    await one.put({ key, relay: 'r', sessionId: SESSIONS[0], content: { kind: 'message', text: 'shared' } });
    await two.load();
    two.connected('r');
    await two.attempted(key);
    await assert.rejects(one.withdraw(key), { code: 'conflict' });
    one.connected('r');
    await eventually(() => assert.deepEqual(relay.logOf(SESSIONS[0]), ['shared']));
    one.dispose();
    two.dispose();
  });
});

/** Plays the steps against a relay that keeps I3, then lets everything through and compares with what was typed. */
async function playsRight(steps: readonly Step[]): Promise<void> {
  const relay = new OutboxRelay();
  let storage = new MemoryOutbox();
  const open = (): OutboxSender => new OutboxSender({ storage, send: relay.send, onChange: () => {}, retryMs: 0 });
  let sender = open();
  const expected = new Map<string, { sessionId: string; text: string }>();
  /** By key, what was answered here and not taken back. */
  const answers = new Map<string, string>();
  let typed = 0;
  relay.onCut = () => sender.connected(undefined);
  for (const now of steps) {
    switch (now.kind) {
      case 'type': {
        const key = newId('key');
        const sessionId = SESSIONS[now.session];
        const text = `message ${++typed}`;
        await sender.put({ key, relay: 'r', sessionId, content: { kind: 'message', text } });
        expected.set(key, { sessionId, text });
        break;
      }
      case 'answer': {
        const key = newId('key');
        const approvalId = `approval${answers.size}-${++typed}`;
        const content = { kind: 'answer', approvalId, decision: { kind: 'allow' } } as const;
        await sender.put({ key, relay: 'r', sessionId: SESSIONS[now.session], content });
        answers.set(key, approvalId);
        break;
      }
      case 'answerElsewhere': {
        const [approvalId] = answers.values();
        if (approvalId !== undefined) {
          relay.answerElsewhere(approvalId);
        }
        break;
      }
      case 'connect':
        relay.up = true;
        sender.connected('r');
        break;
      case 'cut':
        relay.up = false;
        sender.connected(undefined);
        break;
      case 'reload':
        // As a crash does: the old one says no more, and nothing but the storage is left.
        sender.dispose();
        storage.crash();
        storage = new MemoryOutbox(storage);
        sender = open();
        await sender.load();
        break;
      case 'withdraw': {
        const last = sender.entries.at(-1);
        if (last) {
          await sender.withdraw(last.key).then(
            () => {
              expected.delete(last.key);
              answers.delete(last.key);
            },
            () => undefined,
          );
        }
        break;
      }
      case 'settle':
        await new Promise(resolve => setImmediate(resolve));
        break;
      case 'relay':
        relay.next.push(now.next);
    }
  }
  relay.next.length = 0;
  relay.onCut = () => {};
  relay.up = true;
  sender.connected('r');
  const texts = (sessionId: string): string[] =>
    [...expected.values()].filter(one => one.sessionId === sessionId).map(one => one.text);
  await eventually(() => {
    for (const sessionId of SESSIONS) {
      assert.deepEqual(relay.logOf(sessionId), texts(sessionId));
    }
    // What was answered elsewhere is kept to be shown, and nothing else is left.
    const late = [...answers].filter(([, approvalId]) => relay.answerOf(approvalId) === 'elsewhere');
    assert.deepEqual(new Set(storage.keys()), new Set(late.map(([key]) => key)));
    const refused = sender.entries.filter(({ status }) => status.kind === 'refused');
    assert.deepEqual(new Set(refused.map(({ key }) => key)), new Set(late.map(([key]) => key)));
    assert.ok([...answers.values()].every(approvalId => relay.answerOf(approvalId) !== undefined));
  }, 3_000);
  sender.dispose();
}
