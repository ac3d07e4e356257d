import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { codePlace } from '../../../extension/src/chat/codePlace.ts';

const FILE = ['function one() {', '  return 1;', '}', '', 'class A {', '  two() {', '    return 2;', '  }', '}'];

function applied(lines: readonly string[], code: string, language?: string): string[] | string {
  const place = codePlace(lines, { text: code, ...(language === undefined ? {} : { language }) });
  if (place.kind !== 'edits') {
    return place.kind;
  }
  const out = [...lines];
  for (const { from, to, lines: next } of place.edits.toReversed()) {
    out.splice(from, to - from, ...next);
  }
  return out;
}

describe('the place of code in a file', () => {
  it('is between the lines that it begins and ends with', () => {
    assert.deepEqual(applied(FILE, 'function one() {\n  // better\n  return 11;\n}\n', 'js'), [
      'function one() {',
      '  // better',
      '  return 11;',
      ...FILE.slice(2),
    ]);
  });

  it('has the indentation of the file', () => {
    assert.deepEqual(applied(FILE, 'two() {\n  return 22;\n\n  // end\n}', 'js'), [
      ...FILE.slice(0, 6),
      '    return 22;',
      '',
      '    // end',
      ...FILE.slice(7),
    ]);
  });

  it('is all of an empty file', () => {
    assert.deepEqual(applied([''], 'a\nb\n'), ['a', 'b']);
  });

  it('is not guessed', () => {
    for (const code of ['return 3;', 'function other() {\n}', '}\n}', 'const a = 1;\nconst b = 2;', '']) {
      assert.equal(applied(FILE, code), 'unclear', code);
    }
    assert.equal(applied(['a {', '}', 'a {', '}'], 'a {\n  x\n}'), 'unclear', 'it could be either');
  });

  it('is where the old lines of a diff stand, though the numbers are a little off', () => {
    const diff = '--- a/x.js\n+++ b/x.js\n@@ -3,3 +3,3 @@\n   two() {\n-    return 2;\n+    return 22;\n   }\n';
    assert.deepEqual(applied(FILE, diff, 'diff'), [...FILE.slice(0, 6), '    return 22;', ...FILE.slice(7)]);
  });

  it('is the nearest of several, and none when a part is not there', () => {
    const lines = ['x', 'a', 'x', 'a', 'x'];
    assert.deepEqual(applied(lines, '@@ -4,1 +4,1 @@\n-a\n+b', 'diff'), ['x', 'a', 'x', 'b', 'x']);
    assert.equal(applied(lines, '-a\n+b', 'diff'), 'unfit', 'without a number it must be the only one');
    assert.deepEqual(codePlace(lines, { text: '@@ -1 +1 @@\n-x\n+y\n@@ -9 +9 @@\n-q\n+r', language: 'diff' }), {
      kind: 'unfit',
      part: 2,
      parts: 2,
    });
  });
});
