import assert from 'node:assert/strict';
import { rankPaths } from '../../../server/src/sessions/rankPaths.ts';

describe('rankPaths', () => {
  const paths = [
    'src/login/form.ts',
    'docs/login.md',
    'src/form.ts',
    'a/form/other.ts',
    'README.md',
    'src/foreignMap.ts',
  ];

  it('puts names before paths, beginnings before middles, and the shorter before the longer', () => {
    assert.deepEqual(rankPaths(paths, 'form', 10), [
      'src/form.ts',
      'src/login/form.ts',
      'a/form/other.ts',
      'src/foreignMap.ts',
    ]);
    assert.deepEqual(rankPaths(paths, 'LOGIN', 10), ['docs/login.md', 'src/login/form.ts']);
    assert.deepEqual(rankPaths(paths, 'src/fo', 1), ['src/form.ts']);
  });

  it('finds characters in order with others in between, and nothing where there is none', () => {
    assert.deepEqual(rankPaths(paths, 'slft', 10), ['src/login/form.ts']);
    assert.deepEqual(rankPaths(paths, 'zzz', 10), []);
    assert.equal(rankPaths(paths, '', 3).length, 3);
  });

  it('is bounded: a hundred thousand paths, twenty answers', () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `packages/p${index % 97}/src/file${index}.ts`);
    assert.equal(rankPaths(many, 'file9', 20).length, 20);
    assert.equal(rankPaths(many, 'file99999', 20)[0], `packages/p${99_999 % 97}/src/file99999.ts`);
  });
});
