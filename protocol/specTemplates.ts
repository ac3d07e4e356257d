import type { Spec, SpecCheck, SpecItem } from './spec.ts';
import { asSection } from './specSections.ts';
import { writeSpec } from './specText.ts';

/*
 * Specs to begin with: Sandpiper's own templates, and what the questions of *New Spec* make. They are texts for a person to
 * change, so they name commands that are usual for what the thing is made with.
 */

export const STACKS = {
  node: {
    name: 'Node.js, TypeScript',
    test: 'npm test',
    build: 'npm run build',
    start: 'npm start',
    outdated: 'npm outdated',
  },
  python: {
    name: 'Python',
    test: 'python -m pytest',
    build: 'python -m compileall -q .',
    start: 'python -m app',
    outdated: 'pip check',
  },
  go: { name: 'Go', test: 'go test ./...', build: 'go build ./...', start: 'go run .', outdated: 'go mod verify' },
  rust: { name: 'Rust', test: 'cargo test', build: 'cargo build', start: 'cargo run', outdated: 'cargo tree' },
  java: {
    name: 'Java, Maven',
    test: 'mvn -q test',
    build: 'mvn -q package',
    start: 'java -jar target/app.jar',
    outdated: 'mvn -q validate',
  },
  make: {
    name: 'Anything else, with a Makefile',
    test: 'make test',
    build: 'make',
    start: 'make run',
    outdated: 'make check',
  },
} as const;
export type Stack = keyof typeof STACKS;
type Commands = (typeof STACKS)[Stack];

export interface SpecTemplate {
  id: string;
  name: string;
  /** One sentence: when to take it. */
  about: string;
  text: (stack: Stack) => string;
}

function command(text: string, exitCode = 0): SpecCheck {
  return { kind: 'command', command: text, exitCode, timeoutSeconds: 600 };
}

function question(text: string): SpecCheck {
  return { kind: 'question', question: text };
}

function file(path: string): SpecCheck {
  return { kind: 'file', path };
}

function item(title: string, text: string, ...checks: SpecCheck[]): SpecItem {
  return { title, text, checks };
}

function template(id: string, name: string, about: string, spec: (commands: Commands) => Spec): SpecTemplate {
  return { id, name, about, text: stack => writeSpec(spec(STACKS[stack])) };
}

export const SPEC_TEMPLATES: readonly SpecTemplate[] = [
  template('fix-issue', 'Fix an issue', 'Something is wrong and must not come back', ({ test }) => ({
    title: 'Fix an issue',
    goal: 'What happens, what should happen, and how to see it:\n\n- ',
    items: [
      item('A test shows the issue', 'Write a test that fails without the fix and passes with it.', command(test)),
      item(
        'The cause is fixed',
        'Fix the cause and not only the case of the report. Change nothing else.',
        command(test),
        question('Does the change fix the cause, and only that?'),
      ),
    ],
  })),
  template('add-tests', 'Add tests', 'Code works but nothing proves it', ({ test }) => ({
    title: 'Add tests',
    goal: 'What is to be tested:\n\n- ',
    items: [
      item(
        'What people rely on is tested',
        'Test behaviour and not how it is done. Cover what goes wrong too.',
        command(test),
      ),
      item(
        'The tests can fail',
        'Each test fails when what it is about is broken.',
        question('Would these tests fail for the right reason?'),
      ),
    ],
  })),
  template('review', 'Review', 'Read code and write down what is wrong, changing nothing', () => ({
    title: 'Review the code',
    goal: 'What to look at, and for what:\n\n- ',
    items: [
      item(
        'The findings are written down',
        'In `REVIEW.md`, the worst first, each with its file, line and a proposal.',
        file('REVIEW.md'),
      ),
      item('Nothing else changed', '', command('test -z "$(git status --porcelain -- . ":!REVIEW.md")"')),
      item('The findings are true', '', question('Are the findings true, and worth fixing?')),
    ],
  })),
  template('refactor', 'Refactor', 'Make code better without changing what it does', ({ test, build }) => ({
    title: 'Refactor',
    goal: 'What is hard to work with now, and how it should be:\n\n- ',
    items: [
      item('It does what it did', 'No test is changed or removed.', command(test), command(build)),
      item('It is easier to work with', '', question('Is it easier to read and to change than before?')),
    ],
  })),
  template(
    'upgrade',
    'Upgrade dependencies',
    'Bring what the project uses up to date',
    ({ test, build, outdated }) => ({
      title: 'Upgrade dependencies',
      goal: 'What to upgrade, and what must stay as it is:\n\n- ',
      items: [
        item(
          'They are up to date',
          'One commit-sized step at a time; read the notes of each release with a breaking change.',
          command(outdated),
        ),
        item('Everything works', '', command(build), command(test)),
        item(
          'What changed is written down',
          'In `CHANGELOG.md`: what was upgraded, from what to what, and what had to change.',
          file('CHANGELOG.md'),
        ),
      ],
    }),
  ),
  template('web-app', 'New web app', 'Something new that runs in a browser', ({ test, build, start }) => ({
    title: 'A new web app',
    goal: 'What it is for, and who uses it:\n\n- ',
    items: [
      item('It starts', `The README says how: \`${start}\`.`, command(build), file('README.md')),
      item('The first feature', 'What a person does, and what they see.', command(test)),
      item(
        'It looks right',
        'Readable, usable with the keyboard and on a phone.',
        question('Does it look right on a wide screen and on a phone?'),
      ),
    ],
  })),
  template('cli', 'Command-line tool', 'Something new for a terminal', ({ test, build }) => ({
    title: 'A command-line tool',
    goal: 'What it does, with an example of how it is called:\n\n- ',
    items: [
      item(
        'It says how it is used',
        '`--help` explains every option; wrong ones end with exit code 2.',
        command(build),
        command(test),
      ),
      item('The first command', 'What goes in, what comes out, and what can go wrong.', command(test)),
      item('It is documented', '', file('README.md')),
    ],
  })),
  template('slides', 'Slides', 'A talk, as a page of its own', () => ({
    title: 'Slides',
    goal: 'What the talk is about, for whom, and how long it is:\n\n- ',
    items: [
      item(
        'The slides are there',
        'One file `slides.html` that needs nothing else; arrow keys turn the pages.',
        file('slides.html'),
        command('grep -qi "<section" slides.html'),
      ),
      item('They tell the story', '', question('Would you give this talk?')),
    ],
  })),
];

export interface WizardAnswers {
  title: string;
  /** What kind of thing it is, in words. */
  kind: string;
  stack: Stack;
  features: readonly string[];
  /** How it should look and feel; may be empty. */
  look: string;
  /** A person says at the end whether it is good. */
  review: boolean;
}

/** The spec that the questions of *New Spec* give. */
export function specFromAnswers({ title, kind, stack, features, look, review }: WizardAnswers): Spec {
  const { name, test, build } = STACKS[stack];
  const lookText = asSection(look);
  const items = [
    item('It builds', '', command(build), file('README.md')),
    ...features.map(feature => item(feature.slice(0, 200).trim(), 'A test shows that it works.', command(test))),
    ...(lookText === '' ? [] : [item('It looks right', lookText, question('Does it look as it should?'))]),
    ...(review ? [item('It is what was wanted', '', question('Is this what you wanted?'))] : []),
  ];
  return { title, goal: asSection(`${kind}, made with ${name}.`), items };
}
