import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { SessionState, ToolItem } from '../../protocol/session.ts';
import { eventually } from '../support/eventually.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);

const idle = (turns: number) => (state: SessionState) => state.phase.kind === 'idle' && state.turns.length === turns;
const tools = (state: SessionState) => state.items.filter((item): item is ToolItem => item.kind === 'tool');

describe('a session', () => {
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  it('answers with text', async () => {
    const id = await shop.begin([{ text: 'Hello from the sandbox.' }]);
    const state = await shop.until(id, 'one turn', idle(1));
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
    assert.ok(state.items.some(item => item.kind === 'text' && item.text.text === 'Hello from the sandbox.'));
    assert.equal(state.proposed, state.base);
    assert.ok(state.usage.outputTokens > 0, 'the gateway counted tokens');
  });

  it('runs tools, and what they change becomes a checkpoint in the mirror', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo new > added.txt && rm README.md && echo done' } },
      { text: 'Done.' },
    ]);
    const state = await shop.until(id, 'one turn', idle(1));
    assert.equal(tools(state)[0]?.state, 'ok');
    assert.match(tools(state)[0]?.output?.text ?? '', /done/);
    const { files } = await shop.client.call('changes.list', { sessionId: id });
    assert.deepEqual(files.map(file => `${file.status} ${file.path}`).sort(), ['added added.txt', 'deleted README.md']);
    const file = await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'added.txt' });
    assert.equal(file.content, 'new\n');
    const { diff } = await shop.client.call('changes.diff', { sessionId: id });
    assert.match(diff, /^\+new$/m);
  });

  it('keeps no secret in the sandbox, and leaves the user’s repository alone', async () => {
    const before = await run('git', ['-C', shop.repository, 'status', '--porcelain', '--branch']);
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'env; cat /proc/*/environ 2>/dev/null | tr "\\0" "\\n"; ls -la / ~' } },
      { text: 'ok' },
    ]);
    const state = await shop.until(id, 'one turn', idle(1));
    assert.equal(JSON.stringify(state).includes(REAL_KEY), false);
    assert.deepEqual(
      (await run('git', ['-C', shop.repository, 'status', '--porcelain', '--branch'])).stdout,
      before.stdout,
    );
  });

  it('asks, and does what it was allowed', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'touch asked.txt' } }, { text: 'Thank you.' }], {
      permissionMode: 'ask',
    });
    const waiting = await shop.until(id, 'a question', state => state.approvals.length === 1);
    const approval = waiting.approvals[0];
    assert.equal(approval?.kind, 'tool');
    assert.match(approval.input.text, /touch asked\.txt/);
    await shop.client.call('session.answer', { sessionId: id, approvalId: approval.id, decision: { kind: 'allow' } });
    const state = await shop.until(id, 'one turn', idle(1));
    assert.equal(tools(state)[0]?.state, 'ok');
    await assert.rejects(
      shop.client.call('session.answer', { sessionId: id, approvalId: approval.id, decision: { kind: 'allow' } }),
      { code: 'conflict' },
    );
  });

  it('asks, and does not do what it was denied', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'touch denied.txt' } }, { text: 'Fine.' }], {
      permissionMode: 'ask',
    });
    const waiting = await shop.until(id, 'a question', state => state.approvals.length === 1);
    await shop.client.call('session.answer', {
      sessionId: id,
      approvalId: waiting.approvals[0]?.id ?? '',
      decision: { kind: 'deny', message: 'Not now.' },
    });
    const state = await shop.until(id, 'one turn', idle(1));
    assert.equal(tools(state)[0]?.state, 'denied');
    assert.equal(state.proposed, state.base);
  });

  it('stops in the middle of a tool, and the work so far is a checkpoint', async () => {
    const id = await shop.begin([
      { tool: 'Bash', input: { command: 'echo half > half.txt; tail -f /dev/null; echo whole > half.txt' } },
      { text: 'never' },
    ]);
    // The agent says that a tool starts before it starts it.
    await eventually(async () => access(join(await shop.workspace(id), 'half.txt')), 20_000);
    const began = Date.now();
    assert.deepEqual(await shop.client.call('session.stop', { sessionId: id }), { stopping: true });
    const state = await shop.until(id, 'stopped', idle(1));
    assert.ok(Date.now() - began < 10_000);
    assert.equal(state.turns[0]?.agent?.outcome, 'stopped');
    assert.equal(
      (await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'half.txt' })).content,
      'half\n',
    );
  });

  it('takes follow-up messages in order, one turn each', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'echo 1 >> turns.txt' } }, { text: 'one' }]);
    await shop.send(id, [{ tool: 'Bash', input: { command: 'echo 2 >> turns.txt' } }, { text: 'two' }]);
    await shop.send(id, [{ text: 'three' }]);
    const state = await shop.until(id, 'three turns', idle(3), 30_000);
    assert.deepEqual(
      state.items.flatMap(item => (item.kind === 'text' ? [item.text.text] : [])),
      ['one', 'two', 'three'],
    );
    assert.deepEqual(
      state.turns.map(turn => turn.checkpoint?.changed),
      [true, true, false],
    );
    assert.equal(
      (await shop.client.call('changes.file', { sessionId: id, side: 'proposed', path: 'turns.txt' })).content,
      '1\n2\n',
    );
  });

  it('works beside another session of the same repository', async () => {
    const [one, other] = await Promise.all(
      ['one', 'other'].map(name =>
        shop.begin([{ tool: 'Bash', input: { command: `echo ${name} > who.txt; sleep 1` } }, { text: name }]),
      ),
    );
    for (const [id, name] of [
      [one, 'one'],
      [other, 'other'],
    ] as const) {
      await shop.until(id ?? '', 'one turn', idle(1));
      const { content } = await shop.client.call('changes.file', {
        sessionId: id ?? '',
        side: 'proposed',
        path: 'who.txt',
      });
      assert.equal(content, `${name}\n`);
    }
  });

  it('starts from uncommitted work when asked, and not otherwise', async () => {
    const path = join(shop.repository, 'draft.txt');
    await run('sh', ['-c', `echo draft > '${path}'`]);
    const script = [{ tool: 'Bash', input: { command: 'cat draft.txt || echo none' } }, { text: 'ok' }];
    const withDraft = await shop.begin(script, { includeUncommitted: true });
    const without = await shop.begin(script);
    assert.match(tools(await shop.until(withDraft, 'one turn', idle(1)))[0]?.output?.text ?? '', /^draft/);
    assert.match(tools(await shop.until(without, 'one turn', idle(1)))[0]?.output?.text ?? '', /none/);
    assert.equal(await readFile(path, 'utf8'), 'draft\n');
  });

  it('accepts all, once, and refuses what is stale', async () => {
    const id = await shop.begin([{ tool: 'Bash', input: { command: 'echo a > a.txt' } }, { text: 'ok' }]);
    const state = await shop.until(id, 'one turn', idle(1));
    await assert.rejects(shop.client.call('changes.acceptAll', { sessionId: id, expectedProposed: state.base }), {
      code: 'stale',
    });
    const key = 'key_accept_all_once';
    const first = await shop.client.call('changes.acceptAll', { key, sessionId: id, expectedProposed: state.proposed });
    assert.deepEqual(
      await shop.client.call('changes.acceptAll', { key, sessionId: id, expectedProposed: state.proposed }),
      first,
    );
    assert.deepEqual((await shop.client.call('changes.list', { sessionId: id })).files, []);
    assert.equal((await shop.events(id)).filter(event => event.body.type === 'reviewDecided').length, 1);
  });

  it('makes one session of a call that comes twice', async () => {
    const params = {
      key: 'key_created_once',
      source: shop.repository,
      prompt: '@@[{"text":"once"}]',
      permissionMode: 'autopilot',
    } as const;
    const [first, second] = await Promise.all([
      shop.client.call('session.create', params),
      shop.client.call('session.create', params),
    ]);
    assert.deepEqual(first, second);
    assert.deepEqual(await shop.client.call('session.create', params), first);
    await assert.rejects(shop.client.call('session.create', { ...params, prompt: 'other' }), { code: 'key_reused' });
    await shop.until(first.sessionId, 'one turn', idle(1));
  });
});
