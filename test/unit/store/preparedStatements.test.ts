import assert from 'node:assert/strict';
import { PreparedStatements } from '../../../server/src/store/sqlite/preparedStatements.ts';

describe('PreparedStatements', () => {
  it('lets the one that was used longest ago give way', () => {
    const statements = new PreparedStatements<string>(2);
    assert.equal(statements.keep('a', 'A'), undefined);
    assert.equal(statements.keep('b', 'B'), undefined);
    assert.equal(statements.get('a'), 'A');
    assert.equal(statements.keep('c', 'C'), 'B');
    assert.equal(statements.get('b'), undefined);
    assert.deepEqual(statements.drain(), ['A', 'C']);
    assert.equal(statements.get('a'), undefined);
  });
});
