import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { hintInEditor } from '../../../protocol/editorHint.ts';

const SERVER = join(import.meta.dirname, '../../../server/src');
const textOf = (path: string) => readFile(join(SERVER, path), 'utf8');

describe('a hint in the editor', () => {
  it('names settings and commands where a terminal has variables', async () => {
    const cases: [file: string, said: RegExp, expected: RegExp][] = [
      [
        'agents/claude/findClaude.ts',
        /Install it with .*SANDPIPER_CLAUDE.*\./,
        /set `sandpiper\.agent\.claudePath` in/,
      ],
      [
        'agents/claude/turnFailure.ts',
        /Set ANTHROPIC_API_KEY.*again\./,
        /^Run “Sandpiper: Set Anthropic API Key…”; then/,
      ],
      [
        'core/dataFolder.ts',
        /Choose another folder with SANDPIPER_DATA\./,
        /setting `sandpiper\.relay\.dataFolder`\.$/,
      ],
      ['forges/github/githubForge.ts', /Sign in to GitHub.*relay\./, /^Sign in to GitHub\.$/],
      ['forges/restForge.ts', /Enter a token.*<token>\./, /^Enter a token for \$\{host\}\.$/],
      ['git/remoteFailure.ts', /Use a token that may.*relay\./, /do this: sign in to the forge\.$/],
    ];
    for (const [file, said, expected] of cases) {
      const hint = said.exec(await textOf(file))?.[0];
      assert.ok(hint !== undefined, `${file} says what this test knows`);
      assert.match(hintInEditor(hint), expected);
      assert.doesNotMatch(hintInEditor(hint), /SANDPIPER_|ANTHROPIC_/);
    }
  });

  it('stays as it is where it names none', () => {
    assert.equal(hintInEditor('Check the network, then try again.'), 'Check the network, then try again.');
  });
});
