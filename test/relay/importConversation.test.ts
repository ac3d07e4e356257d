import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { Image } from '../../protocol/images.ts';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { noisePng } from '../support/noisePng.ts';
import { rejects } from '../support/rejects.ts';
import { CLAUDE } from '../support/relayProcess.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);
const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;

describe('a conversation of the person’s own Claude Code', function () {
  this.timeout(180_000);
  let shop: Workshop;
  let projects = '';
  let path = '';

  /** As a person at their terminal. */
  const claude = async (script: readonly object[], ...flags: string[]): Promise<void> => {
    const { dataFolder, repository, model } = shop;
    const child = run(
      CLAUDE,
      ['-p', `Remember this: @@${JSON.stringify(script)}`, '--dangerously-skip-permissions', ...flags],
      {
        cwd: repository,
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: dataFolder,
          ANTHROPIC_BASE_URL: model.url,
          ANTHROPIC_API_KEY: REAL_KEY,
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
          IS_SANDBOX: '1',
        },
        timeout: 60_000,
      },
    );
    child.child.stdin?.end();
    await child;
  };
  const hash = async (): Promise<string> =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  const list = async () => (await shop.client.call('import.list', {})).conversations;

  before(async () => {
    shop = await openWorkshop();
    projects = join(shop.dataFolder, '.claude/projects');
    await claude([
      { text: 'I look.', tool: 'Bash', input: { command: 'echo the past > past.txt' } },
      { text: 'The first answer of then.' },
    ]);
    const [folder = ''] = await readdir(projects);
    const [file = ''] = await readdir(join(projects, folder));
    path = join(projects, folder, file);
    await claude([{ text: 'The second answer of then.' }], '--resume', file.replace('.jsonl', ''));
  });
  after(async () => {
    await shop?.dispose();
  });

  it('is listed with its title, folder, branch and size, and can be read first', async () => {
    const [found, ...others] = await list();
    assert.equal(others.length, 0);
    assert.match(found?.title ?? '', /^Remember this/);
    assert.deepEqual([found?.folder, found?.branch], [shop.repository, 'main']);
    assert.ok((found?.bytes ?? 0) > 1000);
    const preview = await shop.client.call('import.preview', { id: found?.id ?? '' });
    assert.equal(preview.turns, 2);
    assert.equal(preview.skipped, 0);
    assert.match(
      preview.text,
      /You: Remember this[^]*\[Bash\] echo the past > past\.txt[^]*The first answer of then\./,
    );
    assert.match(preview.text, /The second answer of then\.$/);
  });

  it('goes on in a sandbox with all that the agent remembers, and the file of the person stays as it is', async () => {
    const before = await hash();
    const [found] = await list();
    const { sessionId } = await shop.client.call('import.start', {
      id: found?.id ?? '',
      permissionMode: 'autopilot',
      includeUncommitted: true,
    });
    const imported = await shop.until(sessionId, 'the past', idle(2));
    assert.deepEqual(imported.importedFrom, { id: found?.id, folder: shop.repository });
    assert.equal(imported.includesUncommitted, true, 'past.txt is taken along');
    const texts = imported.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : []));
    assert.deepEqual(texts, ['I look.', 'The first answer of then.', 'The second answer of then.']);
    assert.ok(imported.items.some(item => item.kind === 'tool' && item.title === 'echo the past > past.txt'));

    await shop.send(sessionId, [
      { text: 'Now.', tool: 'Bash', input: { command: 'cat past.txt' } },
      { text: 'The answer of now.' },
    ]);
    const state = await shop.until(sessionId, 'a turn in the sandbox', idle(3), 90_000);
    const read = state.items.findLast(item => item.kind === 'tool');
    assert.match(read?.kind === 'tool' ? (read.output?.text ?? '') : '', /the past/);
    const last = JSON.stringify(shop.model.lastConversation());
    for (const text of ['The first answer of then.', 'The second answer of then.']) {
      assert.ok(last.includes(text), `the agent remembers "${text}"`);
    }
    assert.equal(await hash(), before);
    assert.equal((await list()).length, 1, 'the copy is the session’s, not the person’s');

    // The past is turns like others: the agent can be brought back to the end of each.
    await shop.client.call('checkpoint.restore', { sessionId, turn: 1, code: false, conversation: true });
    await shop.until(sessionId, 'a restore', ({ restores, restoring }) => !restoring && restores?.length === 1, 60_000);
    await shop.send(sessionId, [{ text: 'Once more.' }]);
    await shop.until(sessionId, 'another turn', idle(4), 90_000);
    const then = JSON.stringify(shop.model.lastConversation());
    assert.ok(then.includes('The first answer of then.'));
    assert.ok(!then.includes('The second answer of then.'));
  });

  it('goes on with a first message and its images', async () => {
    const [found] = await list();
    const image: Image = { mediaType: 'image/png', content: noisePng(20).toString('base64') };
    const start = { id: found?.id ?? '', images: [image] };
    await rejects(shop.client.call('import.start', start), 'invalid_params');
    const prompt = 'Look @@[{"text":"Seen."}]';
    const { sessionId } = await shop.client.call('import.start', { ...start, prompt });
    await shop.until(sessionId, 'a turn in the sandbox', idle(3), 90_000);
    assert.deepEqual(shop.model.requests().findLast(({ images }) => images.length > 0)?.images, [image.content]);
  });

  it('says clearly what it cannot bring in, and loses and runs nothing', async () => {
    const folder = join(projects, '-hostile');
    await mkdir(folder);
    const id = (digit: number): string => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
    const file = (digit: number): string => join(folder, `${id(digit)}.jsonl`);
    const row = (fields: object): string => `${JSON.stringify({ type: 'user', ...fields })}\n`;
    const said = {
      message: { role: 'user', content: 'Hello \u001b[31m<script>alert(1)</script>' },
      cwd: '/no/such/place',
    };
    // Half of it is broken, its rows point at themselves, and its folder is gone.
    await writeFile(
      file(1),
      `not json\n${row({ ...said, uuid: 'a', parentUuid: 'b' })}{"type":"assistant","uuid":"b","parentUuid":"a","message":{"content":[null,7,{"type":"text"}]}}\n[1]\n{"half":`,
    );
    await writeFile(file(2), 'PK\u0003\u0004 this is no text at all');
    await writeFile(file(3), row({ message: 7, cwd: 9 }) + row({ toString: 'x', __proto__: { a: 1 } }));
    await symlink('/etc/passwd', file(4));
    await mkdir(file(5));
    await writeFile(join(folder, '..', 'loose.jsonl'), row(said));
    const before = (await shop.client.call('session.list', {})).sessions;
    const hostile = (await list()).filter(({ folder: where }) => where !== shop.repository);
    assert.deepEqual(
      hostile.map(each => [each.id, each.folder]),
      [[id(1), '/no/such/place']],
    );
    const preview = await shop.client.call('import.preview', { id: id(1) });
    assert.deepEqual([preview.turns, preview.skipped], [1, 3]);
    const gone = await rejects(shop.client.call('import.start', { id: id(1) }), 'not_a_repository');
    assert.match(gone.message, /no\/such\/place/);
    await rejects(shop.client.call('import.preview', { id: id(4) }), 'not_found');
    await rejects(shop.client.call('import.preview', { id: id(3) }), 'invalid_params');
    await rejects(shop.client.call('import.preview', { id: '../../../../etc/passwd' }), 'invalid_params');
    const { sessions } = await shop.client.call('session.list', {});
    assert.equal(sessions.length, before.length, 'what was refused has left no session');
  });

  it('is listed and brought in on the command line', async () => {
    const cli = new Cli(shop.dataFolder);
    const listed = await cli.run(['import']);
    assert.match(listed.stdout, /Remember this/);
    assert.ok(!listed.stdout.includes('\u001b'), 'what a file says does not reach the terminal as it is');
    const [found] = (await list()).filter(({ folder }) => folder === shop.repository);
    const shown = await cli.run(['import', found?.id ?? '', '--preview']);
    assert.match(shown.stdout, /The second answer of then\./);
    const started = await cli.run(['import', found?.id.slice(0, 8) ?? '']);
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stdout, /^session ses_/);
  });
});
