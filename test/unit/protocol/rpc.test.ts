import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ERROR_CODES, SandpiperError } from '../../../protocol/errors.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import { RpcPeer } from '../../../protocol/rpc.ts';
import type { RpcHandlers } from '../../../protocol/rpc.ts';

function pair(handlers: Partial<RpcHandlers>): { caller: RpcPeer; answerer: RpcPeer; replies: string[] } {
  const replies: string[] = [];
  const none: RpcHandlers = { onCall: () => Promise.resolve({}), onNotification: () => {} };
  const caller: RpcPeer = new RpcPeer({ send: frame => answerer.receive(frame) }, none);
  const answerer: RpcPeer = new RpcPeer(
    {
      send: frame => {
        replies.push(frame);
        caller.receive(frame);
      },
    },
    { ...none, ...handlers },
  );
  return { caller, answerer, replies };
}

describe('RpcPeer', () => {
  it('brings every answer to its own call, in whatever order they come', async () => {
    const { caller } = pair({
      onCall: async (_method, params) => {
        await new Promise(resolve => setTimeout(resolve, Number(params) * 5));
        return { echo: params };
      },
    });
    const answers = await Promise.all([3, 1, 2].map(value => caller.call('echo', value, 1_000)));
    assert.deepEqual(answers, [{ echo: 3 }, { echo: 1 }, { echo: 2 }]);
  });

  it('carries an error with its code, hint and details; a defect becomes internal', async () => {
    const { caller } = pair({
      onCall: method =>
        Promise.reject(
          method === 'known'
            ? new SandpiperError('stale', 'Old.', { hint: 'Reload.', details: { seq: 3 } })
            : new Error('x'),
        ),
    });
    await assert.rejects(caller.call('known', {}, 1_000), {
      code: 'stale',
      message: 'Old.',
      hint: 'Reload.',
      details: { seq: 3 },
    });
    await assert.rejects(caller.call('defect', {}, 1_000), { code: 'internal' });
  });

  it('fails a call that is not answered in time, and ignores the late answer', async () => {
    let answer: ((value: unknown) => void) | undefined;
    const { caller } = pair({ onCall: () => new Promise(resolve => (answer = resolve)) });
    await assert.rejects(caller.call('slow', {}, 20), { code: 'timeout' });
    answer?.({});
  });

  it('fails open and later calls when it is closed', async () => {
    const { caller } = pair({ onCall: () => new Promise(() => {}) });
    const open = assert.rejects(caller.call('slow', {}, 1_000), { code: 'disconnected', message: 'Gone.' });
    caller.close('Gone.');
    await open;
    await assert.rejects(caller.call('slow', {}, 1_000), { code: 'disconnected' });
  });

  it('never throws, and answers whatever is no message with an error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), frame => {
        const { answerer, replies } = pair({});
        answerer.receive(frame);
        const reply: unknown = replies[0] === undefined ? undefined : JSON.parse(replies[0]);
        assert.ok(isRecord(reply) && isRecord(reply['error']), frame);
      }),
    );
  });

  it('gives every error code its own number', () => {
    const numbers = Object.values(ERROR_CODES).map(({ rpc }) => rpc);
    assert.equal(new Set(numbers).size, numbers.length);
  });
});
