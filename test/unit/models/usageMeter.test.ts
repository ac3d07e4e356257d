import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Usage } from '../../../protocol/events.ts';
import { UsageMeter } from '../../../server/src/models/usageMeter.ts';

const start = (usage: object): object => ({ type: 'message_start', message: { model: 'claude-opus-5-5', usage } });
const delta = (text: string): object => ({ type: 'content_block_delta', delta: { type: 'text_delta', text } });
const end = (usage: object): object => ({ type: 'message_delta', usage });
const stream = (...events: object[]): Buffer =>
  Buffer.from(events.map(event => `event: x\ndata: ${JSON.stringify(event)}\n\n`).join(''));

function metered(use: (meter: UsageMeter) => void): Usage {
  const total = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };
  use(
    new UsageMeter('claude-opus-5-5', usage => {
      total.inputTokens += usage.inputTokens;
      total.outputTokens += usage.outputTokens;
      total.cacheReadTokens += usage.cacheReadTokens;
      total.cacheWriteTokens += usage.cacheWriteTokens;
      total.costUsd += usage.costUsd;
    }),
  );
  return total;
}

describe('usageMeter', () => {
  const whole = stream(
    start({ input_tokens: 1000, cache_read_input_tokens: 20, cache_creation_input_tokens: 30, output_tokens: 1 }),
    delta('grüße ✓ '.repeat(20)),
    end({ output_tokens: 50 }),
    { type: 'message_stop' },
  );

  it('counts the same wherever the stream is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 20 }), cuts => {
        const places = [0, ...cuts.toSorted((one, other) => one - other), whole.length];
        const usage = metered(meter => {
          for (const [index, place] of places.slice(1).entries()) {
            meter.feedEvents(whole.subarray(places[index], place));
          }
          meter.finish();
        });
        assert.deepEqual(
          [usage.inputTokens, usage.outputTokens, usage.cacheReadTokens, usage.cacheWriteTokens],
          [1000, 50, 20, 30],
        );
      }),
    );
  });

  it('reports the input at the start and the output at the end', () => {
    const reports: Usage[] = [];
    const meter = new UsageMeter('m', usage => reports.push(usage));
    meter.feedEvents(stream(start({ input_tokens: 7, output_tokens: 1 })));
    assert.deepEqual(
      reports.map(usage => [usage.inputTokens, usage.outputTokens]),
      [[7, 0]],
    );
    meter.feedEvents(stream(end({ output_tokens: 9 })));
    meter.finish();
    assert.deepEqual(
      reports.map(usage => [usage.inputTokens, usage.outputTokens]),
      [
        [7, 0],
        [0, 9],
      ],
    );
  });

  it('charges an answer that was cut by what it had streamed', () => {
    let open = 0;
    const usage = metered(meter => {
      meter.feedEvents(stream(start({ input_tokens: 10, output_tokens: 1 }), delta('x'.repeat(300))));
      open = meter.openUsd;
      meter.finish();
      assert.equal(meter.openUsd, 0);
    });
    assert.equal(usage.outputTokens, 100);
    assert.ok(Math.abs(open - 0.002) < 1e-9, `open ${open}`);
  });

  it('counts an answer that is not streamed, and nothing in nonsense', () => {
    const body = JSON.stringify({ model: 'claude-opus-5-5', usage: { input_tokens: 3, output_tokens: 4 } });
    assert.equal(metered(meter => meter.feedMessage(body)).outputTokens, 4);
    const nonsense = 'data: {"type":"message_start","message":7}\ndata: [1]\ndata: {{\n\ndata:\n';
    assert.equal(metered(meter => meter.feedEvents(Buffer.from(nonsense))).costUsd, 0);
    const negative = stream(start({ input_tokens: -5, output_tokens: 1.5 }), end({ output_tokens: 'many' }));
    assert.equal(metered(meter => meter.feedEvents(negative)).costUsd, 0);
  });
});
