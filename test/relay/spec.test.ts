import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { ErrorCode } from '../../protocol/errors.ts';
import { newId } from '../../protocol/ids.ts';
import { command, ended, outcomes, specText, turn } from '../support/specs.ts';
import { rejects } from '../support/rejects.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

async function refused(call: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  assert.match((await rejects(call, code)).message, message);
}

describe('a spec', function () {
  this.timeout(60_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop.dispose();
  });

  const create = async (text: string) => (await shop.client.call('spec.create', { text })).specId;
  const build = async (text: string, budget: { maxTurns?: number; stuckAfter?: number; maxCostUsd?: number } = {}) =>
    shop.begin('', { spec: { specId: await create(text), budget } });

  describe('as a document', () => {
    it('keeps every revision, and a save by an old one is refused', async () => {
      const text = specText('Notes', { One: [command('true')] });
      const made = await shop.client.call('spec.create', { text });
      assert.equal(made.revision, 1);
      assert.deepEqual([made.title, made.items, made.checks], ['Notes', 1, 1]);
      const { specId } = made;
      const second = specText('Notes, later', { One: [command('true')], Two: [command('false')] });
      const saved = await shop.client.call('spec.save', { specId, expectedRevision: 1, text: second });
      assert.deepEqual([saved.revision, saved.title, saved.checks], [2, 'Notes, later', 2]);
      await refused(
        shop.client.call('spec.save', { specId, expectedRevision: 1, text: 'lost?' }),
        'stale',
        /revision 2/,
      );
      const same = await shop.client.call('spec.save', { specId, expectedRevision: 2, text: second });
      assert.equal(same.revision, 2, 'the same text is no revision');
      assert.equal((await shop.client.call('spec.get', { specId, revision: 1 })).text, text);
      const newest = await shop.client.call('spec.get', { specId });
      assert.deepEqual([newest.text, newest.newest, newest.sessions], [second, 2, []]);
      const { revisions } = await shop.client.call('spec.revisions', { specId });
      assert.deepEqual(
        revisions.map(({ revision, title }) => [revision, title]),
        [
          [1, 'Notes'],
          [2, 'Notes, later'],
        ],
      );
    });

    it('keeps a text that is no spec yet, and says where it is wrong', async () => {
      const { specId, problems, title } = await shop.client.call('spec.create', { text: '# Half\n\n## Item\n' });
      assert.equal(title, 'Half');
      assert.deepEqual(
        problems.map(({ line }) => line),
        [3],
      );
      await refused(shop.begin('', { spec: { specId } }), 'invalid_params', /Line 3/);
    });

    it('has one effect for one key, also after a restart', async () => {
      const key = newId('key');
      const params = { text: specText('Once', { One: [command('true')] }), key };
      const first = await shop.client.call('spec.create', params);
      await shop.relay.stop('SIGKILL');
      await shop.relay.start();
      assert.deepEqual(await shop.client.call('spec.create', params), first);
      const { specs } = await shop.client.call('spec.list', {});
      assert.equal(specs.filter(({ title }) => title === 'Once').length, 1);
    });

    it('is taken out of the list and put back', async () => {
      const specId = await create(specText('Away', { One: [command('true')] }));
      const listed = async (removed: boolean) =>
        (await shop.client.call('spec.list', { removed })).specs.some(spec => spec.specId === specId);
      await shop.client.call('spec.remove', { specId });
      assert.deepEqual([await listed(false), await listed(true)], [false, true]);
      await shop.client.call('spec.remove', { specId, removed: false });
      assert.deepEqual([await listed(false), await listed(true)], [true, false]);
      await refused(shop.client.call('spec.get', { specId: newId('spc') }), 'not_found', /no spec/);
    });
  });

  describe('that is built', () => {
    it('takes turn after turn until every check passes, with evidence', async () => {
      const script = [
        ...turn('echo wrong > greeting.txt; echo noise'),
        ...turn('echo hello > greeting.txt; touch test.js'),
      ];
      const text = specText(
        'A greeting',
        {
          'Greets people': [command('cat greeting.txt && grep hello greeting.txt')],
          'Has a test': [
            { kind: 'test', path: 'test.js', command: 'true', timeoutSeconds: 600 },
            { kind: 'file', path: 'greeting.txt' },
          ],
          'Fails where it should': [command('echo no; exit 3', { exitCode: 3 })],
        },
        script,
      );
      const id = await build(text);
      const state = await shop.until(id, 'the end of the build', ended, 50_000);
      assert.equal(state.spec?.ended?.outcome, 'passed', JSON.stringify(state.spec));
      assert.deepEqual(outcomes(state), ['1.1 passed', '2.1 passed', '2.2 passed', '3.1 passed']);
      assert.equal(state.turns.length, 2);
      assert.equal(state.title, 'A greeting');
      assert.match(state.spec.round?.results['1.1']?.output?.text ?? '', /^hello\nhello\n$/);
      const events = await shop.events(id);
      const checked = events.flatMap(({ body }) =>
        body.type === 'specChecked' ? [`${body.round}:${body.check} ${body.outcome}`] : [],
      );
      assert.deepEqual(checked, [
        '1:1.1 failed',
        '1:2.1 failed',
        '1:2.2 passed',
        '1:3.1 passed',
        '2:1.1 passed',
        '2:2.1 passed',
        '2:2.2 passed',
        '2:3.1 passed',
      ]);
      const second = state.items.filter(item => item.kind === 'message')[1];
      assert.equal(second?.by, 'relay');
      assert.match(second.text, /Greets people[^]*Exit code 1 instead of 0[^]*wrong/);
      assert.doesNotMatch(second.text, /Fails where it should/);
      const { sessions } = await shop.client.call('spec.get', { specId: state.spec.spec.specId });
      assert.deepEqual(
        sessions.map(({ sessionId, outcome, passed, items }) => [sessionId, outcome, passed, items]),
        [[id, 'passed', 3, 3]],
      );
    });

    it('asks a person what only a person can say, and a no is another turn', async () => {
      const script = [...turn('echo one > page.txt'), ...turn('echo two > page.txt')];
      const text = specText(
        'Asks',
        { Looks: [command('test -s page.txt'), { kind: 'question', question: 'Does it look right?' }] },
        script,
      );
      const id = await build(text);
      const asked = await shop.until(id, 'the question', ({ approvals }) => approvals.length === 1, 50_000);
      const approval = asked.approvals[0];
      assert.ok(approval);
      assert.deepEqual([approval.kind, approval.title], ['questions', 'Does it look right?']);
      const answer = (approvalId: string, words: string) =>
        shop.client.call('session.answer', {
          sessionId: id,
          approvalId,
          decision: { kind: 'answers', answers: { 'Does it look right?': words } },
        });
      await answer(approval.id, 'Too blue');
      const again = await shop.until(
        id,
        'the question of the next turn',
        ({ approvals, turns }) => turns.length === 2 && approvals.length === 1,
        50_000,
      );
      assert.notEqual(again.approvals[0]?.id, approval.id);
      assert.match(again.items.filter(item => item.kind === 'message')[1]?.text ?? '', /No, says owner: Too blue/);
      await answer(again.approvals[0]?.id ?? '', 'Yes');
      const state = await shop.until(id, 'the end', ended, 30_000);
      assert.equal(state.spec?.ended?.outcome, 'passed');
      assert.equal(state.approvals.length, 0);
    });

    it('ends with its budget of turns', async () => {
      const script = [...turn('echo 1 > n'), ...turn('echo 2 > n'), ...turn('echo 3 > n')];
      const id = await build(specText('Never', { One: [command('test "$(cat n)" = 9')] }, script), {
        maxTurns: 2,
        stuckAfter: 9,
      });
      const state = await shop.until(id, 'the end', ended, 50_000);
      assert.equal(state.spec?.ended?.outcome, 'budget');
      assert.match(state.spec.ended.reason, /all of its 2 turns/);
      assert.equal(state.turns.length, 2);
    });

    it('is stuck when no check changes any more', async () => {
      const script = [...turn('true'), ...turn('true'), ...turn('true'), ...turn('true')];
      const id = await build(specText('Stuck', { One: [command('false')], Two: [command('true')] }, script), {
        stuckAfter: 1,
      });
      const state = await shop.until(id, 'the end', ended, 50_000);
      assert.equal(state.spec?.ended?.outcome, 'stuck');
      assert.match(state.spec.ended.reason, /1 of 2 items pass/);
      assert.equal(state.turns.length, 2);
    });

    it('bounds what a check prints and how long it takes', async () => {
      const text = specText(
        'Loud',
        {
          Loud: [
            command(
              'i=0; while [ $i -lt 20000 ]; do echo "line $i of a very long output"; i=$((i+1)); done; echo the end',
            ),
          ],
          Slow: [command('sleep 60', { timeoutSeconds: 1 })],
        },
        turn('true'),
      );
      const id = await build(text, { maxTurns: 1 });
      const state = await shop.until(id, 'the end', ended, 50_000);
      assert.deepEqual(outcomes(state), ['1.1 passed', '2.1 failed']);
      const { output } = state.spec?.round?.results['1.1'] ?? {};
      assert.match(output?.text ?? '', /the end\n$/);
      assert.ok((output?.text.length ?? 0) <= 4096);
      assert.equal(output?.blob?.bytes, 256 * 1024);
      const { bytes } = await shop.client.call('blob.read', { sessionId: id, hash: output.blob.hash });
      assert.equal(bytes, 256 * 1024);
      assert.match(state.spec?.round?.results['2.1']?.detail ?? '', /did not end within 1 s/);
    });

    it('is stopped in the middle of a check, and the check is ended', async () => {
      const id = await build(specText('Long', { One: [command('sleep 300')] }, turn('true')));
      await shop.until(id, 'the check', ({ spec }) => spec?.round !== undefined, 50_000);
      assert.deepEqual(await shop.client.call('session.stop', { sessionId: id }), { stopping: true });
      const state = await shop.until(id, 'the end', ended, 20_000);
      assert.equal(state.spec?.ended?.outcome, 'stopped');
      await shop.send(id, turn('true'));
      await shop.until(id, 'another turn', ({ turns, phase }) => turns.length === 2 && phase.kind === 'idle', 30_000);
    });

    it('is stopped with its turn', async () => {
      const id = await build(specText('Turn', { One: [command('false')] }, turn('touch begun; sleep 300')));
      await shop.until(id, 'the tool', ({ items }) => items.some(item => item.kind === 'tool'), 50_000);
      await shop.client.call('session.stop', { sessionId: id });
      const state = await shop.until(id, 'the end', ended, 30_000);
      assert.equal(state.spec?.ended?.outcome, 'stopped');
      assert.equal(state.turns.length, 1);
    });

    it('goes on with a message of a person in between', async () => {
      const id = await build(specText('Mine', { One: [command('test -e mine')] }, turn('sleep 1')), { maxTurns: 3 });
      await shop.until(id, 'the tool', ({ items }) => items.some(item => item.kind === 'tool'), 50_000);
      await shop.send(id, turn('touch mine'));
      const state = await shop.until(id, 'the end', ended, 50_000);
      assert.equal(state.spec?.ended?.outcome, 'passed');
      assert.equal(state.turns.length, 2, 'no turn was asked for besides');
    });
  });

  it('is checked alone in a session that did something else, and a second at once is refused', async () => {
    const id = await shop.begin(turn('touch there'));
    await shop.until(id, 'a turn', ({ turns, phase }) => turns.length === 1 && phase.kind === 'idle', 50_000);
    const specId = await create(
      specText('Alone', { A: [command('sleep 1; test -e there')], B: [{ kind: 'file', path: 'nowhere' }] }),
    );
    await shop.client.call('spec.check', { sessionId: id, specId });
    await refused(shop.client.call('spec.build', { sessionId: id, specId }), 'conflict', /being checked here/);
    const state = await shop.until(id, 'the end', ended, 30_000);
    assert.equal(state.spec?.ended?.outcome, 'notPassed');
    assert.deepEqual(outcomes(state), ['1.1 passed', '2.1 failed']);
    assert.equal(state.turns.length, 1);
    await shop.client.call('spec.build', { sessionId: id, specId, budget: { maxTurns: 1 } });
    const built = await shop.until(
      id,
      'the build',
      candidate => ended(candidate) && candidate.spec?.kind === 'build',
      50_000,
    );
    assert.equal(built.spec?.ended?.outcome, 'budget');
  });
});
