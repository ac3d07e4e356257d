import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { JsonError, parseJsonLines } from '../../../server/src/policy/jsonLines.ts';
import { MAX_POLICY_BYTES, readPolicy } from '../../../server/src/policy/policyFile.ts';

function mistakes(text: string | Buffer): string[] {
  const read = readPolicy(Buffer.from(text));
  return read.kind === 'policy' ? [] : read.violations.map(({ line, message }) => `${line}: ${message}`);
}

describe('JSON with lines', () => {
  it('is the same as JSON for every value', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (given, indent) => {
        const text = JSON.stringify(given, undefined, indent);
        assert.deepEqual(parseJsonLines(text).value, JSON.parse(text));
      }),
    );
  });

  it('ends with an error or a value for any text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\s{}[\]",:/*\\a1truefalsn.-]{0,60}$/), text => {
        try {
          parseJsonLines(text);
        } catch (error) {
          assert.ok(error instanceof JsonError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('has comments, a last comma, and the line of everything', () => {
    const { value, lineOf } = parseJsonLines('// one\n{ /* two\n three */ "a": [1,\n 2,],\n "b": {} }\n');
    assert.deepEqual(value, { a: [1, 2], b: {} });
    assert.deepEqual([lineOf(['a']), lineOf(['a', 1]), lineOf(['b']), lineOf(['a', 7])], [3, 4, 5, 3]);
  });
});

describe('a policy file', () => {
  it('names the line and the field of every mistake', () => {
    const text = [
      '{',
      '  "version": 1,',
      '  "path": {},',
      '  "limits": {',
      '    "files": -1,',
      '    "lines": "many"',
      '  },',
      '  "paths": { "deny": [',
      '    "ok",',
      '    7] }',
      '}',
    ].join('\n');
    const found = mistakes(text);
    assert.match(found.join('\n'), /^3: "path" is not known\.$/m);
    assert.match(found.join('\n'), /^5: "limits\.files": .*>=0/m);
    assert.match(found.join('\n'), /^6: "limits\.lines": .*number/m);
    assert.match(found.join('\n'), /^10: "paths\.deny\[1\]": .*string/m);
    assert.equal(found.length, 4);
  });

  it('names a pattern that is wrong', () => {
    assert.deepEqual(mistakes('{"version": 1,\n"protected": ["a",\n"../b"]}'), [
      '3: "protected[1]": the pattern has "." or ".." as a folder; patterns begin at the root of the repository.',
    ]);
  });

  for (const [what, text, expected] of [
    ['without a version', '{}', /"version"/],
    ['that is empty', '', /ends too early/],
    ['of another version', '{"version": 2}', /"version"/],
    ['with a name twice', '{"version": 1,\n"paths": {},\n"paths": {}}', /^3: .*"paths" stands there twice/],
    ['that ends in its middle', '{"version": 1,\n"paths": {', /^2: .*double quotes/],
    ['with a word for a value', '{"version": yes}', /"yes" is no value/],
    ['with a text over two lines', '{"a": "b\nc"}', /not well formed/],
    ['with `__proto__`', '{"version": 1, "__proto__": {"paths": {}}}', /__proto__/],
    ['that is a list', '[]', /expected object/],
    ['that is no UTF-8', Buffer.from([0x7b, 0xff]), /no UTF-8|not UTF-8/],
    ['that is huge', `{"version": 1}${' '.repeat(MAX_POLICY_BYTES)}`, /larger than/],
    ['that is deep', '['.repeat(60_000), /nested deeper/],
    ['with too many patterns', `{"version":1,"protected":[${'"a",'.repeat(300)}]}`, /"protected"/],
    ['with a very long pattern', `{"version":1,"protected":["${'*a'.repeat(300)}"]}`, /"protected\[0\]"/],
    ['with a comment that does not end', `{"version": 1 /*${'*'.repeat(60_000)}`, /missing/],
  ] as const) {
    it(`is refused ${what}`, () => {
      assert.match(mistakes(text).join('\n'), expected);
    });
  }

  it('tells no more than a screen of mistakes', () => {
    const keys = Array.from({ length: 500 }, (_, at) => `"k${at}": 1`).join(',');
    assert.equal(mistakes(`{"version": 1, ${keys}}`).length, 20);
  });
});
