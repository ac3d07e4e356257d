import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { EventBody } from '../../../protocol/events.ts';
import { NO_USAGE } from '../../../protocol/usage.ts';
import { draftFrom, storeLargeText, type DurableSignal } from '../../../server/src/sessions/signalEvents.ts';
import type { BlobStore } from '../../../server/src/store/store.ts';
import { created, MESSAGE, RUNTIME, stateAfter } from './sessionFixtures.ts';

const delivered: EventBody[] = [
  created,
  { type: 'messageQueued', messageId: MESSAGE, text: 'hello', by: 'owner' },
  { type: 'messageSent', messageId: MESSAGE },
];
const ended: DurableSignal = { kind: 'turnEnded', outcome: 'completed', durationMs: 7 };

function drafted(signals: DurableSignal[], events: EventBody[] = delivered, runtime = RUNTIME) {
  return draftFrom(
    signals.map(signal => ({ signal, payload: undefined })),
    stateAfter(events),
    runtime,
  );
}

describe('draftFrom', () => {
  it('opens a turn with the messages that were sent', () => {
    assert.deepEqual(drafted([{ kind: 'turnStarted' }]).events, [
      { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] },
    ]);
  });

  it('opens a turn once, however often it is announced', () => {
    assert.equal(drafted([{ kind: 'turnStarted' }, { kind: 'turnStarted' }]).events.length, 1);
    const open: EventBody[] = [...delivered, { type: 'turnStarted', turn: 1, messageIds: [MESSAGE] }];
    assert.deepEqual(drafted([{ kind: 'turnStarted' }], open).events, []);
  });

  it('closes the turn with what the gateway counted, and begins to count anew', () => {
    const usage = { ...NO_USAGE, inputTokens: 12, costUsd: 0.5 };
    const { events, runtime } = drafted([{ kind: 'turnStarted' }, ended], delivered, { ...RUNTIME, turnUsage: usage });
    assert.deepEqual(events[1], { type: 'agentFinished', turn: 1, outcome: 'completed', usage, durationMs: 7 });
    assert.deepEqual(runtime?.turnUsage, NO_USAGE);
  });

  it('ignores the end of a turn that is not open', () => {
    assert.deepEqual(drafted([ended]).events, []);
  });

  it('keeps what is needed to answer an approval out of the log', () => {
    const { events, runtime } = drafted([
      {
        kind: 'approvalAsked',
        approvalId: 'req-1',
        approval: { kind: 'tool', name: 'Bash', title: 'ls', input: '{}', canAlwaysAllow: true },
        answerContext: 'secret context',
      },
    ]);
    assert.deepEqual(runtime?.answerContexts, { 'req-1': 'secret context' });
    assert.equal(JSON.stringify(events).includes('secret context'), false);
  });
});

describe('storeLargeText', () => {
  const kept: Uint8Array[] = [];
  const blobs: BlobStore = {
    put: async content => {
      kept.push(content);
      return { hash: 'b'.repeat(64), bytes: content.length };
    },
    read: async () => undefined,
    list: async () => [],
    remove: async () => false,
  };

  it('leaves a small text in the event', async () => {
    const { payload } = await storeLargeText(
      { kind: 'toolFinished', toolId: 't', outcome: 'ok', output: 'small' },
      blobs,
      text => text,
    );
    assert.deepEqual(payload, { text: 'small' });
  });

  it('moves a large text out and keeps a preview that is whole characters', async () => {
    const output = `${'x'.repeat(4095)}😀${'y'.repeat(40_000)}`;
    const signal = { kind: 'toolFinished', toolId: 't', outcome: 'ok', output } as const;
    const { payload } = await storeLargeText(signal, blobs, text => text);
    assert.equal(payload?.blob?.bytes, Buffer.byteLength(output));
    assert.equal(payload.text, 'x'.repeat(4095));
    assert.equal(Buffer.from(kept[0] ?? []).toString('utf8'), output);
  });

  it('forgets how to answer what was withdrawn or ended with its turn', () => {
    const asked = { ...RUNTIME, answerContexts: { one: '1', two: '2' } };
    const withdrawn: DurableSignal = { kind: 'approvalWithdrawn', approvalId: 'one', reason: 'x' };
    assert.deepEqual(drafted([withdrawn], delivered, asked).runtime?.answerContexts, { two: '2' });
    assert.deepEqual(drafted([{ kind: 'turnStarted' }, ended], delivered, asked).runtime?.answerContexts, {});
  });

  it('names a message in its own turn only, though the next begins in the same moment', () => {
    const taken: DurableSignal = { kind: 'messageTaken', messageId: MESSAGE };
    const { events } = drafted([{ kind: 'turnStarted' }, taken, ended, { kind: 'turnStarted' }]);
    assert.deepEqual(events.at(-1), { type: 'turnStarted', turn: 2, messageIds: [] });
  });
});
