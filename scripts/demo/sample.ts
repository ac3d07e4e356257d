import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/*
 * A repository with one failing test, in POSIX shell so that it needs nothing on the machine.
 */

const FILES = {
  'README.md':
    '# Slug\n\nTurns a title into a slug: `sh slug.sh "Hello, World"` prints `hello-world`.\nRun the tests with `sh test.sh`.\n',
  'slug.sh': `#!/bin/sh
# Prints the slug of a title.
printf '%s\\n' "$1" | tr 'A-Z' 'a-z' | sed 's/ /-/g'
`,
  'test.sh': `#!/bin/sh
failed=0
check() {
  actual=$(sh "$(dirname "$0")/slug.sh" "$1")
  if [ "$actual" = "$2" ]; then
    echo "ok   $1"
  else
    echo "FAIL $1: expected $2, got $actual"
    failed=1
  fi
}
check 'Hello' 'hello'
check 'Hello World' 'hello-world'
check 'Hello, World!' 'hello-world'
exit $failed
`,
} as const;

export const DEMO_PROMPT = 'The test in test.sh fails. Find out why and fix slug.sh.';

/** What the scripted model does about it; the same tools that a real one would use. */
export const DEMO_SCRIPT = [
  {
    text: 'I will run the test first and look at the code.',
    tool: 'Bash',
    input: { command: 'sh test.sh', description: 'Run the test' },
  },
  { tool: 'Read', input: { file_path: 'slug.sh' } },
  {
    text: 'Punctuation is kept: only spaces become hyphens. Every run of other characters must become one hyphen, and none may stand at the ends.',
    tool: 'Edit',
    input: {
      file_path: 'slug.sh',
      old_string: `sed 's/ /-/g'`,
      new_string: `sed -e 's/[^a-z0-9][^a-z0-9]*/-/g' -e 's/^-//' -e 's/-$//'`,
    },
  },
  { tool: 'Bash', input: { command: 'sh test.sh', description: 'Run the test again' } },
  {
    text: 'All three checks pass now. `slug.sh` replaces every run of characters that are not letters or digits by one hyphen.',
  },
];

export const ISSUE = {
  title: 'Punctuation stays in slugs',
  body: '`sh slug.sh "Hello, World!"` prints `hello,-world!`. It should print `hello-world`.',
};

export const REVIEW_COMMENT = {
  path: 'slug.sh',
  line: 3,
  body: 'Please say in the README what happens to punctuation.',
};

/** What the scripted model does about the issue: a change that is not enough, its repair, and what a reviewer asks for. */
export const ISSUE_SCRIPT = [
  { tool: 'Read', input: { file_path: 'slug.sh' } },
  {
    text: 'Only spaces become hyphens. I will let every run of other characters become one.',
    tool: 'Edit',
    input: {
      file_path: 'slug.sh',
      old_string: `sed 's/ /-/g'`,
      new_string: `sed -e 's/[^a-z0-9][^a-z0-9]*/-/g'`,
    },
  },
  { text: 'Every run of characters that are not letters or digits is one hyphen now.' },
  {
    text: 'A hyphen is left at the end. I will look at the test.',
    tool: 'Bash',
    input: { command: 'sh test.sh', description: 'Run the test' },
  },
  {
    tool: 'Edit',
    input: {
      file_path: 'slug.sh',
      old_string: `sed -e 's/[^a-z0-9][^a-z0-9]*/-/g'`,
      new_string: `sed -e 's/[^a-z0-9][^a-z0-9]*/-/g' -e 's/^-//' -e 's/-$//'`,
    },
  },
  { tool: 'Bash', input: { command: 'sh test.sh', description: 'Run the test again' } },
  { text: 'No hyphen stands at either end now; the test passes.' },
  { tool: 'Read', input: { file_path: 'README.md' } },
  {
    tool: 'Edit',
    input: {
      file_path: 'README.md',
      old_string: 'prints `hello-world`.\n',
      new_string: 'prints `hello-world`.\nWhat is not a letter or a digit becomes a hyphen.\n',
    },
  },
  { text: 'The README says it now.\n\n```review\nC1: addressed - the README says what becomes of it\n```' },
];

/** Makes the repository with one commit on main. */
export async function makeSample(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) {
    await writeFile(join(folder, name), text);
  }
  const git = (...args: string[]) => run('git', args, { cwd: folder });
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Demo');
  await git('config', 'user.email', 'demo@example.com');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Turn titles into slugs');
}

/** Whether the test passes in a fresh clone of a branch. */
export async function testPasses(repository: string, branch: string, scratch: string): Promise<boolean> {
  await run('git', ['clone', '--quiet', '--branch', branch, repository, scratch]);
  try {
    await run('sh', [join(scratch, 'test.sh')]);
    return true;
  } catch {
    return false;
  }
}
