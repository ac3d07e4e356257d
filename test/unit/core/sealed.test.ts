import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'mocha';
import { seal, unseal } from '../../../server/src/core/sealed.ts';

const key = randomBytes(32);
const TEXT = 'ghu_a-token, and ümlauts';

describe('a sealed text', () => {
  it('is read with its key, and never looks the same twice', () => {
    const [one, other] = [seal(key, 'tokens', TEXT), seal(key, 'tokens', TEXT)];
    assert.notEqual(one, other);
    assert.equal(one.includes('token'), false);
    assert.deepEqual([unseal(key, 'tokens', one), unseal(key, 'tokens', other)], [TEXT, TEXT]);
    assert.equal(unseal(key, 'tokens', seal(key, 'tokens', '')), '');
  });

  it('is nothing with another key, as something else, changed anywhere, or cut', () => {
    const sealed = seal(key, 'tokens', TEXT);
    assert.equal(unseal(randomBytes(32), 'tokens', sealed), undefined);
    assert.equal(unseal(key, 'names', sealed), undefined);
    const parts = sealed.split('.');
    for (const index of [1, 2, 3]) {
      const bytes = Buffer.from(parts[index] ?? '', 'base64url');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      assert.equal(unseal(key, 'tokens', parts.with(index, bytes.toString('base64url')).join('.')), undefined);
      const cut = bytes.subarray(0, 5).toString('base64url');
      assert.equal(unseal(key, 'tokens', parts.with(index, cut).join('.')), undefined);
    }
    for (const broken of ['', 'v1', 'v2' + sealed.slice(2), `${sealed}.x`, sealed.slice(0, -2), '{"a":1}']) {
      assert.equal(unseal(key, 'tokens', broken), undefined, broken);
    }
  });
});
