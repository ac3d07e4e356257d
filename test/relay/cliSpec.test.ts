import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Cli } from '../support/cliProcess.ts';
import { command, specText, turn } from '../support/specs.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

describe('specs on the command line', function () {
  this.timeout(240_000);
  let shop: Workshop;
  let cli: Cli;
  before(async () => {
    shop = await openWorkshop();
    // The commands join the relay of the workshop, which ends it.
    cli = new Cli(shop.dataFolder);
  });
  after(() => shop.dispose());

  async function make(text: string): Promise<string> {
    const file = join(shop.folder, 'made.md');
    await writeFile(file, text);
    const made = await cli.run(['spec', 'new', file]);
    assert.match(made.stdout, /^spc_\w{26}\n$/, made.stderr);
    return made.stdout.trim();
  }

  it('are made, listed, shown and edited', async () => {
    const text = specText('By hand', { One: [command('true')] });
    const id = await make(text);
    const shown = await cli.run(['spec', 'show', id.slice(-8)]);
    assert.equal(shown.stdout, text);
    const file = join(shop.folder, 'next.md');
    await writeFile(file, text.replace('By hand', 'By hand, later'));
    assert.equal((await cli.run(['spec', 'edit', id.slice(-8), file])).stdout, 'revision 2\n');
    assert.equal((await cli.run(['spec', 'edit', id, file])).stdout, 'nothing changed\n');
    const editor = await cli.run(['spec', 'edit', id], { env: { EDITOR: 'sed -i s/later/edited/' } });
    assert.equal(editor.stdout, 'revision 3\n', editor.stderr);
    const listed = await cli.run(['spec', 'list']);
    assert.match(listed.stdout, new RegExp(`^${id}  r3   1 items, 1 checks +By hand, edited\n`, 'm'));
    assert.equal((await cli.run(['spec', 'show', id, '--revision', '1'])).stdout, text);
    assert.equal((await cli.run(['spec', 'remove', id])).code, 0);
    assert.doesNotMatch((await cli.run(['spec', 'list'])).stdout, /By hand/);
    assert.equal((await cli.run(['spec', 'remove', id, '--undo'])).code, 0);
  });

  it('begin with a template, and a text that is no spec is refused with its line', async () => {
    const made = await cli.run(['spec', 'new', '--template', 'fix-issue', '--stack', 'go']);
    assert.equal(made.code, 0, made.stderr);
    assert.match((await cli.run(['spec', 'show', made.stdout.trim()])).stdout, /- command: `go test \.\/\.\.\.`/);
    assert.match((await cli.run(['spec', 'list', '--templates'])).stdout, /^slides /m);
    const file = join(shop.folder, 'bad.md');
    await writeFile(file, '# T\n\n## I\n\n### Checks\n\n- command: npm test\n');
    const bad = await cli.run(['spec', 'new', file]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /Line 7: A command is written like this/);
  });

  it('come out of a chat', async () => {
    const text = specText('Said', { One: [command('true')] });
    const answer = `\`\`\`\`\`\`spec\n${text}\`\`\`\`\`\``;
    const session = await shop.begin([{ text: 'What?' }, { text: answer }, { text: 'No.' }]);
    await shop.until(session, 'the talk', ({ turns, phase }) => turns.length === 1 && phase.kind === 'idle', 60_000);
    const made = await cli.run(['spec', 'extract', session]);
    assert.equal(made.code, 0, made.stderr);
    const id = made.stdout.trim().split('\n').at(-1) ?? '';
    assert.equal((await shop.client.call('spec.get', { specId: id })).text, text);
    assert.equal((await cli.run(['spec', 'extract', session])).code, 1, 'the second answer has none');
  });

  it('are built to their end, and the exit code says how', async () => {
    const script = [...turn('echo no > out.txt'), ...turn('echo yes > out.txt')];
    const id = await make(specText('Built', { One: [command('grep yes out.txt')] }, script));
    const built = await cli.run(['spec', 'build', id, '--repo', shop.repository]);
    assert.equal(built.code, 0, built.stderr + built.stdout);
    assert.match(
      built.stdout,
      /failed 1\.1 Exit code 1 instead of 0\.[^]*passed 1\.1 Exit code 0\.[^]*All checks pass\n$/,
    );
    const session = /^session (ses_\w+)$/m.exec(built.stdout)?.[1] ?? '';
    const other = await make(specText('Other', { Two: [command('grep no out.txt')] }));
    const checked = await cli.run(['spec', 'check', other, session]);
    assert.equal(checked.code, 1, checked.stderr);
    assert.match(
      checked.stdout,
      /1\. Two\n {3}failed {2}command grep no out\.txt {2}Exit code 1 instead of 0\.\n0 of 1 items pass\n$/,
    );
  });
});
