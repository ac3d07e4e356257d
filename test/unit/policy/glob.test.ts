import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { compileGlob } from '../../../server/src/policy/glob.ts';

const exact = (pattern: string, path: string) => compileGlob(pattern, { loosely: false }).matches(path);

describe('a pattern for paths', () => {
  let repository = '';

  before(() => {
    repository = mkdtempSync(join(tmpdir(), 'sandpiper-glob-'));
    execFileSync('git', ['init', '-q', repository]);
  });
  after(() => rmSync(repository, { recursive: true, force: true }));

  /** Which of the paths git would ignore by each of the patterns alone. */
  function asGitHasIt(pattern: string, paths: readonly string[]): string[] {
    writeFileSync(join(repository, '.git', 'info', 'exclude'), `${pattern}\n`);
    try {
      const output = execFileSync('git', ['check-ignore', '--no-index', '-z', '--stdin'], {
        cwd: repository,
        input: paths.join('\0'),
        encoding: 'utf8',
      });
      return output.split('\0').filter(path => path !== '');
    } catch (error) {
      // Nothing is ignored.
      if (error instanceof Error && 'status' in error && error.status === 1) {
        return [];
      }
      throw error;
    }
  }

  const name = fc.stringMatching(/^[ab.-]{1,3}$/).filter(text => !/^\.+$/.test(text));
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => names.join('/'));
  const piece = fc.constantFrom('a', 'b', '.', '-', '*', '?', '[ab]', '[!a]', '[a-b]', '[^-]', '\\a', '\\*');
  const segment = fc.oneof(
    { weight: 4, arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 }).map(pieces => pieces.join('')) },
    { weight: 1, arbitrary: fc.constant('**') },
  );
  const pattern = fc
    .tuple(fc.constantFrom('', '/'), fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '/'))
    .map(([start, segments, end]) => `${start}${segments.join('/')}${end}`)
    .filter(text => !text.split('/').some(one => /^\.+$/.test(one)));

  it('means what it means to git', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(pattern, fc.uniqueArray(path, { minLength: 30, maxLength: 30 }), (glob, paths) => {
        assert.deepEqual(
          paths.filter(one => exact(glob, one)),
          asGitHasIt(glob, paths),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('without a slash is about names anywhere, with one about a place', () => {
    assert.ok(exact('*.sql', 'db/old/a.sql'));
    assert.ok(exact('db', 'x/db/a.sql'), 'a folder is all that is in it');
    assert.ok(exact('/db', 'db/a.sql'));
    assert.ok(!exact('/db', 'x/db/a.sql'));
    assert.ok(!exact('src/*.ts', 'src/deep/a.ts'));
    assert.ok(exact('src/**/*.ts', 'src/a.ts'));
    assert.ok(exact('docs/', 'docs/a.md'));
    assert.ok(!exact('docs/', 'docs'), 'a file of that name is no folder');
  });

  it('takes another case and another spelling of a letter for the same only where that is asked for', () => {
    const loose = compileGlob('/Secrets/Ä*', { loosely: true });
    assert.ok(loose.matches('secrets/ä.txt'));
    assert.ok(loose.matches('SECRETS/A\u0308.txt'));
    assert.ok(!exact('/Secrets/*', 'secrets/a'));
  });

  it('of many stars is done at once, also where a search back and forth would not end', () => {
    const hostile = compileGlob(`${'*a'.repeat(80)}*b`, { loosely: true });
    assert.ok(!hostile.matches('a'.repeat(4000)));
    const folders = compileGlob(`${'**/a/'.repeat(30)}b`, { loosely: true });
    assert.ok(!folders.matches('a/'.repeat(1000)));
  });

  for (const [wrong, why] of [
    ['', /names no file/],
    ['/', /names no file/],
    ['!src', /no exceptions/],
    ['a//b', /empty/],
    ['../x', /"\.\."/],
    ['./x', /root/],
    ['a[b', /without its/],
    ['a\\', /backslash/],
    ['*.{js,ts}', /pattern for each/],
    ['[[:alpha:]]', /named class/],
    ['[z-a]', /range/],
    ['a\nb', /control/],
  ] as const) {
    it(`is refused as ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => compileGlob(wrong, { loosely: false }), why);
    });
  }
});
