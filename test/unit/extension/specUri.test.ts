import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { fromSpecParts, toSpecParts } from '../../../extension/src/specs/specUri.ts';
import { newId } from '../../../protocol/ids.ts';

describe('the address of a spec', () => {
  it('names it whatever its title is', () => {
    const specId = newId('spc');
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.option(fc.integer({ min: 1 }), { nil: undefined }),
        (title, revision) => {
          const place = { specId, ...(revision === undefined ? {} : { revision }) };
          assert.deepEqual(fromSpecParts(toSpecParts(place, title)), place);
        },
      ),
    );
  });

  it('says the title in the tab', () => {
    assert.equal(toSpecParts({ specId: newId('spc') }, ' A "new" app: a/b ').path, '/A new app a b.md');
    assert.equal(toSpecParts({ specId: newId('spc') }, '///').path, '/Spec.md');
  });

  it('names nothing beside a spec', () => {
    const authority = newId('spc');
    for (const path of ['/.vscode/settings.json', '/.git', '/', '', '/a/b.md']) {
      assert.equal(fromSpecParts({ authority, path, query: '' }), undefined, path);
    }
    assert.equal(fromSpecParts({ authority: newId('ses'), path: '/a.md', query: '' }), undefined);
    assert.equal(fromSpecParts({ authority, path: '/a.md', query: '0' }), undefined);
  });
});
