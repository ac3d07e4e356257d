import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { asSection, sectionProblem } from '../../../protocol/specSections.ts';
import { readSpec, writeSpec } from '../../../protocol/specText.ts';
import { anySpec } from '../../support/specArbitrary.ts';

const GOOD = `# A greeting

Greets people.

\`\`\`sh
# this is code, no title
## and this no item
\`\`\`

## Greets by name

In any language.

### Checks

- command: \`npm test\`
- command: \`\`echo \`date\` \`\` exits 1 within 5 min
- test: \`test/greet.test.js\` by \`npm test -- greet\` within 90 s
- file: \`README.md\`
- question: Does it read well?
`;

describe('the text of a spec', () => {
  it('is read as what was written, whatever that was', () => {
    fc.assert(
      fc.property(anySpec, spec => {
        assert.deepEqual(readSpec(writeSpec(spec)), { spec, problems: [] });
      }),
      { numRuns: 500 },
    );
  });

  it('says what is to be done and how that is known', () => {
    assert.deepEqual(readSpec(GOOD), {
      problems: [],
      spec: {
        title: 'A greeting',
        goal: 'Greets people.\n\n```sh\n# this is code, no title\n## and this no item\n```',
        items: [
          {
            title: 'Greets by name',
            text: 'In any language.',
            checks: [
              { kind: 'command', command: 'npm test', exitCode: 0, timeoutSeconds: 600 },
              { kind: 'command', command: 'echo `date`', exitCode: 1, timeoutSeconds: 300 },
              { kind: 'test', path: 'test/greet.test.js', command: 'npm test -- greet', timeoutSeconds: 90 },
              { kind: 'file', path: 'README.md' },
              { kind: 'question', question: 'Does it read well?' },
            ],
          },
        ],
      },
    });
  });

  it('reads the same with the line ends and the mark of Windows', () => {
    assert.deepEqual(readSpec(`\uFEFF${GOOD.replaceAll('\n', '\r\n')}`), readSpec(GOOD));
  });

  const bad: [what: string, text: string, line: number, message: RegExp][] = [
    ['nothing', '', 1, /begins with its title/],
    ['a text without a title', 'Hello\n', 1, /before the title/],
    ['no item', '# T\n\nGoal\n', 1, /has no item/],
    ['an item without checks', '# T\n\n## I\n\ntext\n', 3, /no "### Checks"/],
    ['an item with empty checks', '# T\n\n## I\n\n### Checks\n', 3, /No check stands below/],
    ['a second title', '# T\n\n# U\n\n## I\n\n### Checks\n\n- file: `a`\n', 3, /one title/],
    ['text among the checks', '# T\n\n## I\n\n### Checks\n\nhello\n- file: `a`\n', 7, /A check is one line/],
    ['an unknown kind', '# T\n\n## I\n\n### Checks\n\n- shell: `a`\n', 7, /A check is one line/],
    ['a command without code', '# T\n\n## I\n\n### Checks\n\n- command: npm test\n', 7, /like this: - command/],
    ['a limit without a unit', '# T\n\n## I\n\n### Checks\n\n- command: `a` within 5\n', 7, /like this: - command/],
    ['an impossible limit', '# T\n\n## I\n\n### Checks\n\n- command: `a` within 90 min\n', 7, /an hour at most/],
    ['an impossible exit code', '# T\n\n## I\n\n### Checks\n\n- command: `a` exits 256\n', 7, /exit code is 0 to 255/],
    ['a path outside', '# T\n\n## I\n\n### Checks\n\n- file: `../a`\n', 7, /not a path inside/],
    ['an absolute path', '# T\n\n## I\n\n### Checks\n\n- file: `/etc/passwd`\n', 7, /not a path inside/],
    ['an empty question', '# T\n\n## I\n\n### Checks\n\n- question:\n', 7, /it is empty/],
    ['checks of nothing', '# T\n\n### Checks\n\n## I\n\n### Checks\n\n- file: `a`\n', 3, /belong to an item/],
    ['an item without a name', '# T\n\n##\n\n### Checks\n\n- file: `a`\n', 3, /This item cannot be used/],
    ['open code', '# T\n\n```\n## I\n\n### Checks\n\n- file: `a`\n', 3, /never closed/],
  ];
  for (const [what, text, line, message] of bad) {
    it(`with ${what} is refused at line ${line}`, () => {
      const { problems } = readSpec(text);
      assert.equal(problems[0]?.line, line, JSON.stringify(problems));
      assert.match(problems[0].message, message);
    });
  }

  it('is never read in a way that throws or takes long', () => {
    const piece = fc.constantFrom(
      '# T',
      '## I',
      '### Checks',
      '- command: `',
      '`'.repeat(50),
      '- file: `a`',
      '',
      '```',
      ' ',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), lines => {
        const { spec, problems } = readSpec(lines.join('\n'));
        assert.equal(spec === undefined, problems.length > 0);
      }),
    );
  });

  it('takes any text of an agent as a section', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc.constantFrom('# ', '## ', '```\n', '~~~~', '\n'),
        (text, head) => {
          assert.equal(sectionProblem(asSection(head + text)), undefined);
        },
      ),
    );
  });
});
