import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DeltaRedactor } from '../../../server/src/redaction/deltaRedactor.ts';
import { redactPatterns } from '../../../server/src/redaction/patterns.ts';
import { SecretSearch } from '../../../server/src/redaction/secretSearch.ts';

const KEY = 'sk-ant-api03-Abc_dEf/9+Q"x-0123456789';
const TOKEN = 'tok~en with space & ümlaut';
const search = new SecretSearch([
  { name: 'model key', value: KEY },
  { name: 'forge token', value: 'ghp_0123456789abcdefghijABCDEFGHIJ012345' },
  { name: 'other', value: TOKEN },
]);
const clean = (text: string): string => search.redact(text).text;

/** Every way that a program may write a value. */
const WAYS: Record<string, (value: string) => string> = {
  plain: value => value,
  base64: value => Buffer.from(value).toString('base64'),
  'base64 after one byte': value => Buffer.from(`x${value}yz`).toString('base64'),
  'base64 after two bytes': value => Buffer.from(`xy${value}z`).toString('base64'),
  base64url: value => Buffer.from(`{"key":"${value}"}`).toString('base64url'),
  hex: value => Buffer.from(value).toString('hex'),
  HEX: value => Buffer.from(value).toString('hex').toUpperCase(),
  url: value => encodeURIComponent(value),
  'every byte': value => Buffer.from(value).toString('hex').replace(/../g, '%$&'),
  json: value => JSON.stringify({ value }),
  'json in json': value => JSON.stringify({ value: JSON.stringify({ value }) }),
  'broken into lines': value => Buffer.from(`prefix ${value} and more`).toString('base64').replace(/.{20}/g, '$&\n'),
  'lines in json': value =>
    JSON.stringify(Buffer.from(`prefix ${value} and`).toString('base64').replace(/.{20}/g, '$&\n')),
};

describe('the search for secrets', () => {
  for (const [name, write] of Object.entries(WAYS)) {
    it(`finds a value: ${name}`, () => {
      for (const value of [KEY, 'ghp_0123456789abcdefghijABCDEFGHIJ012345']) {
        const text = `before ${write(value)} after`;
        const found = clean(text);
        assert.match(found, /^before [^]*\[redacted: (model key|forge token)\][^]* after$/, found);
        assert.ok(!found.includes(value.slice(8, 20)), found);
      }
    });
  }

  it('leaves everything else as it is, also what only begins like one', () => {
    for (const text of ['', 'sk-ant-api03-', `${KEY.slice(0, -1)}!`, 'a\nb', KEY.slice(1), 'naïve 🐦', '\\n\\n\\']) {
      assert.equal(clean(text), text);
    }
  });

  it('finds one that begins inside the beginning of another, and two that touch', () => {
    assert.equal(clean(`${KEY.slice(0, 9)}${KEY}`), `${KEY.slice(0, 9)}[redacted: model key]`);
    assert.equal(clean(KEY + KEY), '[redacted: model key][redacted: model key]');
    assert.equal(search.redact(KEY + KEY).found.get('model key'), 2);
  });

  it('says the same of a text in pieces as of the whole', () => {
    const part = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom(...Object.values(WAYS).map(write => write(KEY))),
      fc.constantFrom(KEY.slice(0, 12), KEY.slice(5), '\n', '\\', '\\n', ' '),
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), cuts, (parts, sizes) => {
        const text = parts.join('');
        const redactor = new DeltaRedactor(() => search);
        let shown = '';
        for (let at = 0, turn = 0; at < text.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          const piece = redactor.take('item', { offset: at, text: text.slice(at, at + size) });
          if (piece) {
            assert.equal(piece.offset, shown.length);
            shown += piece.text;
          }
          at += size;
        }
        const whole = clean(text);
        assert.ok(whole.startsWith(shown) || shown === whole, JSON.stringify({ text, shown, whole }));
        assert.ok(!shown.includes(KEY));
      }),
      { numRuns: 2000 },
    );
  });

  it('holds nothing of an ordinary text back', () => {
    const redactor = new DeltaRedactor(() => search);
    const words = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
    let held = 0;
    for (let at = 0; at < words.length; at += 7) {
      const text = words.slice(at, at + 7);
      const piece = redactor.take('item', { offset: at, text });
      held = Math.max(held, at + text.length - (piece ? piece.offset + piece.text.length : at));
    }
    assert.ok(held <= 8, `${held} characters were held`);
  });

  it('takes as long as the text is', () => {
    const long = `${'sk-ant-api03-Abc_'.repeat(60_000)}${KEY}`;
    assert.ok(clean(long).endsWith('[redacted: model key]'));
  });
});

describe('patterns of secrets', () => {
  it('are found, and nothing that merely looks alike', () => {
    const found: string[] = [];
    const tokens = [
      `ghp_${'a1B2'.repeat(9)}`,
      `sk-ant-api03-${'a-_Z'.repeat(20)}`,
      'AKIAIOSFODNN7EXAMPLE',
      `-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----`,
    ];
    const text = redactPatterns(`a ${tokens.join(' b ')} c`, name => found.push(name));
    assert.equal(text.replace(/\[redacted: [^\]]*\]/g, '*'), 'a * b * b * b * c');
    assert.deepEqual(found.toSorted(), ['AWS key', 'Anthropic key', 'GitHub token', 'private key']);
    for (const harmless of ['ghp_short', 'npm_config_registry', 'sk-ant-', 'AKIA in words', 'e2b_api']) {
      assert.equal(
        redactPatterns(harmless, name => assert.fail(name)),
        harmless,
      );
    }
  });
});
