import assert from 'node:assert/strict';
import { posix } from 'node:path';
import fc from 'fast-check';
import { SandpiperError } from '../../../protocol/errors.ts';
import { locate } from '../../../server/src/sandboxes/local/insidePath.ts';
import { isSandboxId, sandboxIdOf } from '../../../server/src/sandboxes/local/sandboxId.ts';

const ROOTS = [
  { inside: '/workspace', host: '/data/snd/workspace' },
  { inside: '/journal', host: '/data/snd/journal' },
];

describe('locate', () => {
  it('finds the root and the parts', () => {
    assert.deepEqual(locate(ROOTS, '/journal/1/in/000001'), { root: ROOTS[1], components: ['1', 'in', '000001'] });
    assert.deepEqual(locate(ROOTS, '/workspace/...').components, ['...']);
  });

  it('gives a place strictly below a root, or refuses', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'workspace', 'a', '\0', '~', '*'), fc.string());
    const start = fc.constantFrom('/workspace', '/journal', '/journals', '', '/', '/workspace/..');
    fc.assert(
      fc.property(start, fc.array(part), (root, parts) => {
        const path = [root, ...parts].join('/');
        let located;
        try {
          located = locate(ROOTS, path);
        } catch (error) {
          assert.ok(error instanceof SandpiperError && error.code === 'invalid_params');
          return;
        }
        const host = [located.root.host, ...located.components].join('/');
        assert.equal(posix.normalize(host), host);
        assert.ok(host.length > located.root.host.length + 1 && !host.includes('\0'));
      }),
    );
  });
});

describe('sandboxIdOf', () => {
  it('gives one safe id for a key', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 256 }), key => {
        assert.ok(isSandboxId(sandboxIdOf(key)));
        assert.equal(sandboxIdOf(key), sandboxIdOf(key));
      }),
    );
    assert.notEqual(sandboxIdOf('a'), sandboxIdOf('A'));
    assert.throws(() => sandboxIdOf('x'.repeat(257)), SandpiperError);
    assert.ok(!isSandboxId('../snd_00000000000000000000000000'));
  });
});
