import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHookWorld, type HookWorld } from '../support/hookWorld.ts';
import { scripted } from '../support/modelScript.ts';
import { plainGit } from '../support/plainGit.ts';

const PROTECTED = 'GH006: Protected branch update failed';
const SECRET = 'GH013: Repository rule violations found. Push cannot contain secrets';

describe('work on an issue that the forge does not take', function () {
  this.timeout(240_000);
  let world: HookWorld;

  before(async () => {
    world = await openHookWorld();
  });
  after(() => world.dispose());

  /** What people read on an issue whose work the forge refuses with these words. */
  async function saidAfter(refusal: string, command: string): Promise<string> {
    const { repository } = world;
    await refusePushes(repository.bare, refusal);
    const script = scripted('Please do it.', [{ tool: 'Bash', input: { command } }, { text: 'I did it.' }]);
    const number = repository.openIssue('Add a greeting', script);
    const told = repository.hooks.labelled(number, 'sandpiper', 'alice');
    const { request } = await world.settled(await world.deliver(told));
    assert.equal((await world.done(request)).state, 'done');
    const [said = '', ...more] = repository.talk.said(number);
    assert.equal(more.length, 0);
    assert.match(said, /^A person is needed here: The push of sandpiper\/\S+ to \S+ was refused: /);
    assert.match(said, /^> I did it\.$/m);
    return said;
  }

  it('stands in the comment as a patch that applies', async () => {
    const said = await saidAfter(PROTECTED, 'printf "hello\\n\\n\\n" > greeting.txt');
    const [, patch = ''] = /^```diff\n([^]*?\n)```$/m.exec(said) ?? [];
    const [, base = ''] = /made on ([0-9a-f]{12})/.exec(said) ?? [];
    const { bare } = world.repository;
    const clone = join(world.shop.folder, 'applied');
    await plainGit(world.shop.folder, ['clone', '-q', bare, clone]);
    await plainGit(clone, ['checkout', '-q', base]);
    await writeFile(join(clone, 'change.patch'), patch);
    await plainGit(clone, ['apply', 'change.patch']);
    assert.equal(await plainGit(clone, ['hash-object', 'greeting.txt']), await hashOf(clone, 'hello\n\n\n'));
  });

  it('is not shown to others when the forge found a secret in it', async () => {
    const said = await saidAfter(SECRET, 'echo not-for-all > greeting.txt');
    assert.doesNotMatch(said, /not-for-all|patch/);
    assert.match(said, /revoke it/);
  });
});

async function refusePushes(bare: string, words: string): Promise<void> {
  const hook = join(bare, 'hooks/pre-receive');
  await writeFile(hook, `#!/bin/sh\necho "error: ${words}" >&2\nexit 1\n`);
  await chmod(hook, 0o755);
}

async function hashOf(folder: string, text: string): Promise<string> {
  const file = join(folder, 'expected');
  await writeFile(file, text);
  return plainGit(folder, ['hash-object', 'expected']);
}
