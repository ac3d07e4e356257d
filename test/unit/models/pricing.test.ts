import assert from 'node:assert/strict';
import { costUsd, NO_TOKENS, usageBetween } from '../../../server/src/models/pricing.ts';

const million = 1_000_000;

describe('pricing', () => {
  it('costs what Claude Code itself shows for the same tokens', () => {
    assert.equal(costUsd('claude-opus-5-5', { ...NO_TOKENS, inputTokens: 1000, outputTokens: 50 }), 0.005);
    assert.equal(costUsd('claude-sonnet-5', { ...NO_TOKENS, inputTokens: 1000, outputTokens: 50 }), 0.0025);
  });

  it('takes the longest matching name', () => {
    assert.equal(costUsd('claude-opus-4-20250514', { ...NO_TOKENS, inputTokens: million }), 15);
    assert.equal(costUsd('claude-opus-4-5-20251101', { ...NO_TOKENS, inputTokens: million }), 5);
  });

  it('charges an unknown model like the dearest one', () => {
    assert.equal(costUsd('something-new', { ...NO_TOKENS, inputTokens: million }), 15);
    assert.equal(costUsd('', { ...NO_TOKENS, outputTokens: million }), 75);
  });

  it('charges the caches', () => {
    const tokens = { ...NO_TOKENS, cacheReadTokens: million, cacheWriteTokens: million, cacheWriteHourTokens: 0 };
    assert.equal(costUsd('claude-opus-4-5', tokens), 0.5 + 6.25);
    assert.equal(costUsd('claude-opus-4-5', { ...tokens, cacheWriteHourTokens: million }), 0.5 + 10);
  });

  it('gives the difference of two counts', () => {
    const before = { ...NO_TOKENS, inputTokens: 1000 };
    const usage = usageBetween('claude-opus-5-5', before, { ...before, outputTokens: 100 });
    assert.equal(usage.inputTokens, 0);
    assert.equal(usage.outputTokens, 100);
    assert.ok(Math.abs(usage.costUsd - 0.002) < 1e-9);
  });
});
