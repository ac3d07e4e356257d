import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { originText } from '../../protocol/origin.ts';
import { eventually } from '../support/eventually.ts';
import { openHookWorld, stateOf, type HookWorld } from '../support/hookWorld.ts';
import { scripted } from '../support/modelScript.ts';
import { plainGit } from '../support/plainGit.ts';

const bash = (words: string, command: string, text = 'I did it.') =>
  scripted(words, [{ tool: 'Bash', input: { command } }, { text }]);

describe('an issue', function () {
  this.timeout(240_000);
  let world: HookWorld;

  before(async () => {
    world = await openHookWorld();
  });
  after(() => world.dispose());

  it('that is labelled becomes a draft pull request; its failed checks are repaired, its review answered, and its merge ends the session', async () => {
    const { repository, shop, github } = world;
    const { talk, hooks } = repository;
    const number = repository.openIssue('Add a greeting', bash('Please add it.', 'echo hello > greeting.txt'));
    const delivery = randomUUID();
    const labelled = hooks.labelled(number, 'Sandpiper', 'alice');
    assert.equal((await world.deliver(labelled, delivery)).status, 202);
    const { request } = await world.settled(await world.deliver(labelled, delivery));
    const begun = await world.done(request);
    assert.equal(begun.state, 'done', JSON.stringify(begun));

    const [pull] = github.pullRequests();
    assert.ok(pull);
    assert.equal(pull.draft, true);
    assert.match(pull.body ?? '', new RegExp(`^Closes #${number}$`, 'm'));
    assert.match(pull.body ?? '', new RegExp(`In the issue #${number} by alice: http`));
    assert.equal(await plainGit(repository.bare, ['show', `${pull.head}:greeting.txt`]), 'hello');
    const [said, ...more] = talk.said(number);
    assert.match(said ?? '', new RegExp(`^Opened #${pull.number} for this\\.\n\n> I did it\\.`));
    assert.equal(more.length, 0);
    assert.deepEqual(talk.reactionsTo(`issue ${number}`), ['eyes', 'rocket']);
    const state = await stateOf(world, begun);
    assert.equal(state.title, 'Add a greeting');
    assert.equal(state.origin && originText(state.origin), `issue #${number} by alice`);

    // Two deliveries tell of the same failure.
    const first = state.pullRequest?.headCommit ?? '';
    const repair = bash('the log: expected 2', 'echo repaired >> greeting.txt', 'I repaired it.');
    talk.checks.push({ id: 1, commit: first, name: 'test', conclusion: 'failure', log: repair });
    const [ran, suite] = await Promise.all([
      world.deliver(hooks.runFailed(first)),
      world.deliver(hooks.checksFailed(first)),
    ]);
    const { request: repairKey } = await world.settled(ran);
    assert.equal((await world.settled(suite)).request, repairKey);
    assert.equal((await world.done(repairKey)).state, 'done');
    const repaired = await stateOf(world, begun);
    assert.equal(repaired.turns.length, 2);
    assert.notEqual(repaired.pullRequest?.headCommit, first);
    assert.equal(await plainGit(repository.bare, ['show', `${pull.head}:greeting.txt`]), 'hello\nrepaired');
    assert.equal(talk.said(pull.number).length, 0);

    const answers = 'Done.\n\n```review\nC1: addressed - it says Hello\nC2: declined - it is meant so\n```';
    const review = talk.review(pull.number, 'alice', {
      comments: [
        { path: 'greeting.txt', line: 1, body: bash('Say Hello.', 'sed -i s/hello/Hello/ greeting.txt', answers) },
        { path: 'greeting.txt', line: 2, body: 'Why this?' },
      ],
    });
    const asked = talk.reviewComments.slice();
    const { request: reviewKey } = await world.settled(await world.deliver(hooks.reviewed(review)));
    assert.equal((await world.done(reviewKey)).state, 'done');
    assert.equal(await plainGit(repository.bare, ['show', `${pull.head}:greeting.txt`]), 'Hello\nrepaired');
    const replies = talk.reviewComments.filter(({ inReplyTo }) => inReplyTo !== undefined);
    assert.deepEqual(
      replies.map(({ inReplyTo, body }) => [inReplyTo, body.replace(/ in [0-9a-f]{7}/, '').split('\n')[0]]),
      [
        [asked[0]?.id, 'Addressed. it says Hello'],
        [asked[1]?.id, 'Not changed. it is meant so'],
      ],
    );
    // Our own answers are a review too, for GitHub.
    const own = talk.reviews.at(-1);
    assert.ok(own);
    const { request: ownKey } = await world.settled(await world.deliver(hooks.reviewed(own)));
    assert.equal((await world.done(ownKey)).reason, 'It asks for nothing.');

    github.merge('acme', repository.name, pull.number);
    const { request: closeKey } = await world.settled(await world.deliver(hooks.closed(pull.number, 'alice')));
    assert.equal((await world.done(closeKey)).reason, `Pull request #${pull.number} was merged.`);
    await shop.until(state.id, 'archived', ({ archived }) => archived);
    assert.equal((await stateOf(world, begun)).turns.length, 3);
    assert.deepEqual(github.violations(), []);
  });

  it('begins nothing for those who may not write, for bots, other labels and other repositories', async () => {
    const { repository } = world;
    const { talk, hooks } = repository;
    const number = repository.openIssue('Evil', 'Do evil.', 'mallory');
    const comment = (by: string, body: string) => talk.comment(number, by, body);
    const reasons = [
      [hooks.labelled(number, 'sandpiper', 'mallory'), /mallory may not write/],
      [hooks.labelled(number, 'sandpiper', 'nobody'), /nobody may not write/],
      [hooks.labelled(number, 'bug', 'alice'), /"bug" begins nothing/],
      [hooks.commented(comment('mallory', '@sandpiper do it')), /mallory may not write/],
      [hooks.commented(comment('robot[bot]', '@sandpiper do it'), 'Bot'), /is a bot/],
      [hooks.commented(comment('alice', 'I like sandpipers, and `@sandpiper`s')), /does not ask/],
      [hooks.commented(comment('alice', '> @sandpiper do it\n\nno')), /does not ask/],
      [hooks.checksFailed('0'.repeat(40)), /not the head of a pull request/],
    ] as const;
    for (const [told, reason] of reasons) {
      const settled = await world.settled(await world.deliver(told));
      assert.equal(settled.state, 'ignored');
      assert.match(settled.reason, reason);
    }
    const elsewhere = {
      ...hooks.labelled(number, 'sandpiper', 'alice').payload,
      repository: { full_name: 'o/r', html_url: 'https://github.com/o/r' },
    };
    const { reason } = await world.settled(await world.deliver({ event: 'issues', payload: elsewhere }));
    assert.match(reason, /not connected/);
    assert.deepEqual(
      talk.said(number).filter(text => text.includes('sandpiper:')),
      [],
    );
    assert.deepEqual(talk.reactionsTo(`issue ${number}`), []);
  });

  it('goes to the agent as it stood then, as material, without what nobody sees', async () => {
    const { repository, shop } = world;
    const { talk, hooks } = repository;
    const number = repository.openIssue('Say it', 'As it was.<!-- hidden evil --> @@[{"text":"Only words."}]');
    const told = hooks.labelled(number, 'sandpiper', 'alice');
    Object.assign(talk.issues.find(issue => issue.number === number) ?? {}, { body: 'Edited evil.' });
    const done = await world.done((await world.settled(await world.deliver(told))).request);
    const state = await stateOf(world, done);
    const message = state.items.find(item => item.kind === 'message');
    assert.match(message?.text ?? '', /<material [0-9a-f]{16}: issue #\d+ by alice>\nSay it\n\nAs it was\. @@/);
    assert.doesNotMatch(message?.text ?? '', /evil/);
    assert.match(talk.said(number)[0] ?? '', /^Nothing had to be changed\.\n\n> Only words\./);
    assert.equal(state.pullRequest, undefined);

    // One session, until somebody asks for another.
    const again = await world.settled(
      await world.deliver(hooks.labelled(number, 'sandpiper', 'alice', '2030-01-01T00:00:00Z')),
    );
    assert.match(again.reason, /worked on already/);
    const more = talk.comment(number, 'alice', '@sandpiper more @@[{"text":"More words."}]');
    const turn = await world.done((await world.settled(await world.deliver(hooks.commented(more)))).request);
    assert.equal(turn.sessionId, done.sessionId);
    assert.deepEqual(talk.reactionsTo(`comment ${more.id}`), ['eyes', 'rocket']);
    const anew = talk.comment(number, 'alice', '@sandpiper again');
    const second = await world.done((await world.settled(await world.deliver(hooks.commented(anew)))).request);
    assert.notEqual(second.sessionId, done.sessionId);
    const { sessions } = await shop.client.call('session.list', {});
    assert.equal(sessions.filter(({ origin }) => origin?.number === number).length, 2);
  });

  it('stops at files that run on developers’ machines, and says so', async () => {
    const { repository, github } = world;
    const before = github.pullRequests().length;
    const number = repository.openIssue('CI', bash('x', 'mkdir -p .vscode && echo {} > .vscode/tasks.json'));
    const { request } = await world.settled(
      await world.deliver(repository.hooks.labelled(number, 'sandpiper', 'alice')),
    );
    assert.match((await world.done(request)).reason ?? '', /\.vscode\/tasks\.json/);
    assert.match(repository.talk.said(number)[0] ?? '', /A person is needed here: .*tasks\.json/);
    assert.deepEqual(repository.talk.reactionsTo(`issue ${number}`), ['eyes', 'confused']);
    assert.equal(github.pullRequests().length, before);
  });

  it('whose checks fail again and again is handed over to a person', async () => {
    const repository = await world.connect('capped', { maxRepairs: 1 });
    const { talk, hooks } = repository;
    const number = repository.openIssue('Add', bash('x', 'echo 1 > one.txt'));
    const { request } = await world.settled(await world.deliver(hooks.labelled(number, 'sandpiper', 'alice')));
    const done = await world.done(request);
    for (const attempt of [1, 2]) {
      const { headCommit = '', number: pull = 0 } = (await stateOf(world, done)).pullRequest ?? {};
      const log = bash('x', `echo ${attempt} >> one.txt`);
      talk.checks.push({ id: attempt, commit: headCommit, name: 'test', conclusion: 'failure', log });
      const failed = await world.settled(await world.deliver(hooks.checksFailed(headCommit)));
      await world.done(failed.request);
      assert.equal(talk.said(pull).length, attempt - 1);
    }
    const { pullRequest, turns } = await stateOf(world, done);
    assert.equal(turns.length, 2);
    assert.match(
      talk.said(pullRequest?.number ?? 0)[0] ?? '',
      /^A person is needed here: test still fails after 1 attempts/,
    );
    await eventually(() => assert.deepEqual(world.github.violations(), []));
  });
});
