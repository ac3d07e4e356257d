import assert from 'node:assert/strict';
import { isOlder } from '../../../protocol/releases.ts';

describe('releases', () => {
  it('are compared by number, and a preview comes before its release', () => {
    const inOrder = ['0.1.0', '0.1.9', '0.1.10', '0.2.0-beta.1', '0.2.0', '1.0.0', '10.0.0'];
    for (const [index, version] of inOrder.entries()) {
      for (const [otherIndex, other] of inOrder.entries()) {
        assert.equal(isOlder(version, other), index < otherIndex, `${version} and ${other}`);
      }
    }
  });

  it('that are none are neither older nor newer', () => {
    for (const odd of ['unknown', '', '1', 'v1.0.0']) {
      assert.equal(isOlder(odd, '9.9.9'), false);
      assert.equal(isOlder('0.0.1', odd), false);
    }
  });
});
