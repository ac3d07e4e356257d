import fc from 'fast-check';
import { specSchema, type Spec } from '../../protocol/spec.ts';
import { asSection } from '../../protocol/specSections.ts';

/** Texts that would be read as something else if they were not written with care. */
const hostile = fc.constantFrom(
  '`',
  '``',
  ' ` ',
  '# a',
  '## b',
  '### Checks',
  '- command: `x`',
  '```',
  '~~~',
  'exits 1',
  ' by ',
  'é',
  '語',
  '\u200B',
);
const word = fc.oneof(hostile, fc.string({ maxLength: 12, unit: 'binary' }), fc.string({ maxLength: 12 }));
const words = fc.array(word, { minLength: 1, maxLength: 4 }).map(parts => parts.join(' '));

const line = words.map(text => text.replace(/[\p{Cc}\u2028\u2029]/gu, '').trim()).filter(text => text !== '');
const section = fc
  .array(fc.oneof(hostile, word, fc.constant('')), { maxLength: 8 })
  .map(lines => asSection(lines.join('\n')));
const path = fc.constantFrom('a.txt', 'docs/a b.md', 'src/`x`.ts', 'ä/語.md', '-rf', '.sandpiper/x');
const timeoutSeconds = fc.oneof(fc.constant(600), fc.integer({ min: 1, max: 3600 }));

const check = fc.oneof(
  fc.record({
    kind: fc.constant('command' as const),
    command: line,
    exitCode: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })),
    timeoutSeconds,
  }),
  fc.record({ kind: fc.constant('test' as const), path, command: line, timeoutSeconds }),
  fc.record({ kind: fc.constant('file' as const), path }),
  fc.record({ kind: fc.constant('question' as const), question: line }),
);

const item = fc.record({ title: line, text: section, checks: fc.array(check, { minLength: 1, maxLength: 4 }) });

/** Any spec that the schema allows, with much that looks like its grammar. */
export const anySpec: fc.Arbitrary<Spec> = fc
  .record({ title: line, goal: section, items: fc.array(item, { minLength: 1, maxLength: 4 }) })
  .filter(spec => specSchema.safeParse(spec).success)
  .map(spec => specSchema.parse(spec));
