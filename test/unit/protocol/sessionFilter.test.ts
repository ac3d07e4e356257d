import assert from 'node:assert/strict';
import { filterPart, fitsFilter, isEmptyFilter, parseFilter } from '../../../protocol/sessionFilter.ts';
import { changedTags, TAG } from '../../../protocol/tags.ts';
import { sampleSummary } from '../../support/sampleSummary.ts';

const shop = sampleSummary({ title: 'Fix the Login', tags: ['UI', 'urgent'], pending: true, pinned: true });
const docs = sampleSummary({
  title: 'Write a guide',
  repository: { id: 'r2', name: 'My Docs', source: '/docs' },
  phase: 'working',
});

describe('the filter of the list', () => {
  const fits = (text: string): boolean[] => [shop, docs].map(each => fitsFilter(each, parseFilter(text)));

  it('finds words in title, repository, branch and tags, in any case', () => {
    assert.deepEqual(fits('login'), [true, false]);
    assert.deepEqual(fits('FIX login'), [true, false]);
    assert.deepEqual(fits('login guide'), [false, false]);
    assert.deepEqual(fits('main'), [true, false]);
    assert.deepEqual(fits('urg'), [true, false]);
  });

  it('wants every tag, and one of the states and repositories', () => {
    assert.deepEqual(fits('tag:ui'), [true, false]);
    assert.deepEqual(fits('tag:ui tag:URGENT'), [true, false]);
    assert.deepEqual(fits('tag:urg'), [false, false]);
    assert.deepEqual(fits('state:ready'), [true, false]);
    assert.deepEqual(fits('state:ready state:running'), [true, true]);
    assert.deepEqual(fits('repo:"my docs"'), [false, true]);
    assert.deepEqual(fits('repo:docs repo:shop'), [true, true]);
    assert.deepEqual(fits('is:pinned'), [true, false]);
    assert.deepEqual(fits('is:pinned state:running'), [false, false]);
  });

  it('leaves everything in the list when it says nothing', () => {
    for (const text of ['', '   ', 'tag:', 'state:""']) {
      assert.equal(isEmptyFilter(parseFilter(text)), text !== 'tag:', text);
    }
    assert.deepEqual(fits(''), [true, true]);
  });

  it('says what it does not understand, and goes on with the rest', () => {
    const filter = parseFilter('state:sleeping tag:ui is:red');
    assert.equal(filter.problems.length, 2);
    assert.match(filter.problems[0] ?? '', /"sleeping".*needs-you/);
    assert.equal(fitsFilter(shop, filter), true);
    assert.deepEqual(parseFilter('state:constructor').problems.length, 1);
  });

  it('writes a part that it reads again', () => {
    assert.equal(filterPart('tag', 'ui'), 'tag:ui');
    assert.deepEqual(parseFilter(filterPart('repo', 'my "shop"')).repositories, ['my shop']);
  });
});

describe('tags', () => {
  it('are words of any language', () => {
    for (const tag of ['ui', 'Größe', 'バグ', '2026', 'a/b-c.d_e']) {
      assert.ok(TAG.test(tag), tag);
    }
    for (const text of ['', ' ', 'a b', '-x', '"x"', 'a:b', 'x'.repeat(41), 'a\n']) {
      assert.ok(!TAG.test(text), JSON.stringify(text));
    }
  });

  it('are there once whatever their case, in order', () => {
    assert.deepEqual(changedTags(['b'], ['a', 'B', 'c'], []), ['a', 'b', 'c']);
    assert.deepEqual(changedTags(['UI', 'x'], [], ['ui']), ['x']);
    assert.deepEqual(changedTags(['x'], ['X'], ['x']), ['X']);
  });
});
