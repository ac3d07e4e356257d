import assert from 'node:assert/strict';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { SessionState } from '../../protocol/session.ts';
import { makeSample } from '../../scripts/demo/sample.ts';
import { plainGit } from '../support/plainGit.ts';
import type { StepInput } from '../support/modelScript.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const HUGE_BYTES = 100 * 1024 * 1024;

function bash(command: string): StepInput[] {
  return [{ tool: 'Bash', input: { command } }, { text: 'Done.' }];
}

/** What a person is told: which code, what happened, what to do. */
async function refused(call: Promise<unknown>, code: string, message: RegExp, hint: RegExp): Promise<void> {
  await assert.rejects(call, (error: { code?: string; message?: string; hint?: string }) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message ?? '', message);
    assert.match(error.hint ?? '', hint);
    return true;
  });
}

describe('a repository that is not as usual', function () {
  this.timeout(60_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  async function sample(name: string): Promise<string> {
    const folder = join(shop.folder, name);
    await makeSample(folder);
    return folder;
  }

  async function oneTurn(source: string, script: StepInput[]): Promise<SessionState> {
    const id = await shop.begin(script, { source });
    const state = await shop.until(id, 'one turn', idle(1), 40_000);
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
    return state;
  }

  async function contentOf(sessionId: string, path: string): Promise<string> {
    return (await shop.client.call('changes.file', { sessionId, side: 'proposed', path })).content;
  }

  const sessionCount = async () => (await shop.client.call('session.list', { limit: 500 })).sessions.length;

  it('is refused when it is none, or there is nothing', async () => {
    const count = await sessionCount();
    await mkdir(join(shop.folder, 'plain'));
    await refused(
      shop.begin('x', { source: join(shop.folder, 'plain') }),
      'not_a_repository',
      /plain.*has a \.git/,
      /git init/,
    );
    await refused(shop.begin('x', { source: join(shop.folder, 'none') }), 'not_a_repository', /none.*no such/, /path/);
    await refused(shop.begin('x', { source: 'ftp://example.com/x' }), 'not_a_repository', /ftp:/, /https or ssh/);
    assert.equal(await sessionCount(), count);
  });

  it('is refused when it is empty', async () => {
    const source = join(shop.folder, 'empty');
    await plainGit(shop.folder, ['init', '-q', source]);
    await refused(shop.begin('x', { source }), 'empty_repository', /empty has no commit yet/, /first commit/);
  });

  it('is refused with a base that it does not have', async () => {
    await refused(shop.begin('x', { base: 'no-such' }), 'invalid_params', /sample.*"no-such"/, /another base/);
    await refused(shop.begin('x', { base: '--all' }), 'invalid_params', /"--all"/, /another base/);
  });

  it('works on a detached HEAD', async () => {
    const source = await sample('detached');
    await plainGit(source, ['checkout', '-q', '--detach']);
    const inspected = await shop.client.call('repository.inspect', { source });
    assert.equal(inspected.detached, true);
    const state = await oneTurn(source, bash('echo new > new.txt'));
    assert.equal(await contentOf(state.id, 'new.txt'), 'new\n');
  });

  it('works on a shallow clone, and says so', async () => {
    const full = await sample('full');
    await plainGit(full, ['commit', '-q', '--allow-empty', '-m', 'Second']);
    const source = join(shop.folder, 'shallow');
    await plainGit(shop.folder, ['clone', '-q', '--depth=1', `file://${full}`, source]);
    const { notes } = await shop.client.call('repository.inspect', { source });
    assert.match(notes.join(' '), /shallow clone/);
    const state = await oneTurn(source, bash('git log --oneline && echo new > new.txt'));
    assert.equal(await contentOf(state.id, 'new.txt'), 'new\n');
  });

  it('works with submodules, which stay as they are, and says so', async () => {
    const inner = await sample('inner');
    const source = await sample('outer');
    await plainGit(source, ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'module']);
    await plainGit(source, ['commit', '-q', '-m', 'Add a submodule']);
    const { notes } = await shop.client.call('repository.inspect', { source });
    assert.match(notes.join(' '), /Submodules are not filled/);
    const state = await oneTurn(source, bash('ls module && echo new > new.txt'));
    const { files } = await shop.client.call('changes.list', { sessionId: state.id });
    assert.deepEqual(
      files.map(file => file.path),
      ['new.txt'],
    );
  });

  it('works with a file of 100 MB in it', async function () {
    this.timeout(120_000);
    const source = await sample('huge');
    await writeFile(join(source, 'huge.bin'), '');
    await truncate(join(source, 'huge.bin'), HUGE_BYTES);
    await plainGit(source, ['add', '-A']);
    await plainGit(source, ['commit', '-q', '-m', 'Add a huge file']);
    const id = await shop.begin(bash('stat -c %s huge.bin && echo new > new.txt'), { source });
    const state = await shop.until(id, 'one turn', idle(1), 100_000);
    const tool = state.items.find(item => item.kind === 'tool');
    assert.match(tool?.kind === 'tool' ? (tool.output?.text ?? '') : '', new RegExp(String(HUGE_BYTES)));
    assert.equal(state.stats.files, 1);
    assert.equal(
      (await shop.client.call('changes.file', { sessionId: id, side: 'base', path: 'huge.bin' })).tooLarge,
      true,
    );
  });

  it('leaves a file of 100 MB that the agent makes out of the checkpoint, says so, and takes the rest', async function () {
    this.timeout(120_000);
    const id = await shop.begin(bash(`truncate -s ${HUGE_BYTES} huge.bin && echo new > new.txt`));
    const state = await shop.until(id, 'one turn', idle(1), 100_000);
    const notices = state.items.flatMap(item => (item.kind === 'notice' ? [item] : []));
    assert.match(notices[0]?.text ?? '', /^huge\.bin is not in the checkpoint: too large/);
    assert.match(notices[0]?.hint ?? '', /sandbox/);
    const { files } = await shop.client.call('changes.list', { sessionId: id });
    assert.deepEqual(
      files.map(file => file.path),
      ['new.txt'],
    );
    await shop.send(id, bash('stat -c %s huge.bin && rm huge.bin'));
    const next = await shop.until(id, 'two turns', idle(2));
    const tool = next.items.findLast(item => item.kind === 'tool');
    assert.match(tool?.kind === 'tool' ? (tool.output?.text ?? '') : '', new RegExp(String(HUGE_BYTES)), 'it was kept');
  });

  it('is nothing to do with an unknown session', async () => {
    const sessionId = 'ses_00000000000000000000000000';
    await refused(shop.client.call('session.get', { sessionId }), 'not_found', /ses_0+/, /List the sessions/);
    await refused(shop.send(sessionId, 'x'), 'not_found', /ses_0+/, /List the sessions/);
    await refused(shop.client.call('pullRequest.open', { sessionId }), 'not_found', /ses_0+/, /List/);
    await refused(shop.client.call('session.get', { sessionId: 'x' }), 'invalid_params', /sessionId/, /Correct/);
  });
});

describe('a relay without what an agent needs', function () {
  this.timeout(60_000);

  async function withShop(env: Record<string, string>, action: (shop: Workshop) => Promise<void>): Promise<void> {
    const shop = await openWorkshop(env);
    try {
      await action(shop);
    } finally {
      await shop.dispose();
    }
  }

  it('refuses a session when there is no claude, or one that is too old, and makes none', async () => {
    await withShop({ SANDPIPER_CLAUDE: '/no/such/claude' }, async shop => {
      await refused(
        shop.begin('x'),
        'agent_missing',
        /\/no\/such\/claude/,
        /npm install -g @anthropic-ai\/claude-code/,
      );
      assert.deepEqual((await shop.client.call('session.list', {})).sessions, []);
      const { agents } = await shop.client.call('relay.info', {});
      assert.equal(agents[0]?.available, false);
      assert.match(agents[0].reason ?? '', /\/no\/such\/claude/);
    });
    await withShop({ SANDPIPER_CLAUDE: join(import.meta.dirname, '../fixtures/claude/tooOld.sh') }, async shop => {
      await refused(shop.begin('x'), 'agent_too_old', /Claude Code 2\.0\.1 .* too old.*2\.1\.197/, /Upgrade/);
      const { checks } = await shop.client.call('relay.checks', {});
      assert.match(checks.find(({ name }) => name === 'agent claude')?.hint ?? '', /Upgrade/);
    });
  });

  it('says in the turn that the model key is missing; with a key the next message works, and nothing was lost', async () => {
    await withShop({ ANTHROPIC_API_KEY: '' }, async shop => {
      const { modelKey } = await shop.client.call('relay.info', {});
      assert.equal(modelKey.present, false);
      const id = await shop.begin([{ text: 'first' }]);
      const failed = await shop.until(id, 'the turn failed', idle(1), 40_000);
      const failure = failed.turns[0]?.agent?.failure;
      assert.equal(failure?.code, 'model_key_missing');
      assert.match(failure.message, /no model key/);
      assert.match(failure.hint ?? '', /ANTHROPIC_API_KEY.*Set Anthropic API Key/);
      assert.equal(shop.model.requests().filter(request => request.path.endsWith('/v1/messages')).length, 0);
      await shop.client.call('relay.setModelKey', { apiKey: REAL_KEY });
      await shop.send(id, [{ text: 'second' }]);
      const state = await shop.until(id, 'two turns', idle(2), 40_000);
      assert.equal(state.turns[1]?.agent?.outcome, 'completed');
      assert.equal(state.items.filter(item => item.kind === 'message').length, 2);
    });
  });

  it('says in the turn that the model key is wrong; with the right one the next message works', async () => {
    await withShop({ ANTHROPIC_API_KEY: 'sk-ant-wrong' }, async shop => {
      const id = await shop.begin([{ text: 'first' }]);
      const failed = await shop.until(id, 'the turn failed', idle(1), 40_000);
      const failure = failed.turns[0]?.agent?.failure;
      assert.equal(failure?.code, 'model_key_rejected');
      assert.match(failure.message, /does not accept the key.*401/);
      assert.match(failure.hint ?? '', /valid model key/);
      await shop.client.call('relay.setModelKey', { apiKey: REAL_KEY });
      await shop.send(id, [{ text: 'second' }]);
      assert.equal((await shop.until(id, 'two turns', idle(2), 40_000)).turns[1]?.agent?.outcome, 'completed');
    });
  });
});
