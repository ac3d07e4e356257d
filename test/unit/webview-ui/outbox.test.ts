import assert from 'node:assert/strict';
import { newId } from '../../../protocol/ids.ts';
import type { OutboxEntry } from '../../../protocol/outbox.ts';
import type { Unsent } from '../../../webview-ui/src/host/host.ts';
import { Outbox } from '../../../webview-ui/src/state/outbox.ts';

describe('outbox of the page', () => {
  const sessionId = newId('ses');
  let asked: { method: string; params: unknown }[];
  let fails: boolean;
  let kept: readonly Unsent[];
  let outbox: Outbox;

  beforeEach(() => {
    asked = [];
    fails = false;
    kept = [];
    outbox = new Outbox(
      {
        request: (method, params) => {
          asked.push({ method, params });
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every answer of the double is empty
          return fails ? Promise.reject(new Error('no room')) : Promise.resolve({} as never);
        },
      },
      unsent => (kept = unsent),
    );
  });

  const hosted = (key: string, status: OutboxEntry['status']): OutboxEntry => ({
    key,
    relay: 'r',
    sessionId,
    typedAt: 1,
    content: { kind: 'message', text: 'hello' },
    status,
  });

  it('keeps a message until the host has it, and then shows what the host says of it', async () => {
    const sending = outbox.send(sessionId, 'hello');
    assert.deepEqual(
      kept.map(({ text }) => text),
      ['hello'],
      'kept before the host was asked',
    );
    const key = kept[0]?.key ?? '';
    outbox.receive([hosted(key, { kind: 'waiting' })]);
    assert.equal(outbox.messages.value.length, 1);
    await sending;
    assert.deepEqual(kept, []);
    assert.equal(outbox.messages.value[0]?.state, 'waiting');
    outbox.receive([hosted(key, { kind: 'accepted', seq: 9 })]);
    assert.equal(outbox.messages.value[0]?.seq, 9);
  });

  it('hands over with the same key what the page before could not', async () => {
    const unsent = [{ key: newId('key'), sessionId, text: 'from before' }];
    await outbox.resume(unsent);
    assert.deepEqual(asked, [{ method: 'send', params: unsent[0] }]);
    assert.deepEqual(kept, []);
  });

  it('loses no text when the host cannot take it or the relay refuses it', async () => {
    fails = true;
    await outbox.send(sessionId, 'precious');
    const [message] = outbox.messages.value;
    assert.equal(message?.state, 'refused');
    assert.match(message?.error?.message ?? '', /no room/);
    assert.equal(kept.length, 1);
    outbox.receive([
      hosted(newId('key'), { kind: 'refused', problem: { code: 'conflict', retryable: false, message: 'Archived.' } }),
    ]);
    assert.deepEqual(outbox.messages.value.map(({ error }) => error?.message).includes('Archived.'), true);
  });
});
