import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { eventually } from '../support/eventually.ts';
import { openHookWorld, stateOf, type HookWorld } from '../support/hookWorld.ts';
import { scripted } from '../support/modelScript.ts';
import { plainGit } from '../support/plainGit.ts';

const bash = (words: string, command: string, text = 'I did it.') =>
  scripted(words, [{ tool: 'Bash', input: { command } }, { text }]);

describe('what happened on GitHub while the relay was away', function () {
  this.timeout(240_000);
  let world: HookWorld;

  before(async () => {
    world = await openHookWorld();
  });
  after(() => world.dispose());

  it('is found at its next start, and done once though it is told later too', async () => {
    const { repository, shop, github } = world;
    const { talk, hooks } = repository;
    const number = repository.openIssue('Add', bash('x', 'echo 1 > one.txt'));
    const { request } = await world.settled(await world.deliver(hooks.labelled(number, 'sandpiper', 'alice')));
    const begun = await world.done(request);
    const pull = (await stateOf(world, begun)).pullRequest?.number ?? 0;

    await shop.relay.stop();
    const answer = '```review\nC1: addressed - it is 2\n```';
    const review = talk.review(pull, 'alice', {
      comments: [{ path: 'one.txt', line: 1, body: bash('Make it 2.', 'echo 2 > one.txt', answer) }],
    });
    const asked = talk.comment(pull, 'alice', `@sandpiper ${bash('add two', 'echo 2 > two.txt')}`);
    const edited = talk.comment(pull, 'alice', `@sandpiper ${bash('evil', 'echo evil > evil.txt')}`);
    edited.updatedAt = new Date(Date.now() + 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
    talk.comment(pull, 'mallory', `@sandpiper ${bash('evil', 'echo evil > evil.txt')}`);
    await shop.relay.start();

    const keyOf = (what: string) => `${github.host}/acme/app ${what}`;
    assert.equal((await world.done(keyOf(`review ${review.id}`))).state, 'done');
    assert.equal((await world.done(keyOf(`comment ${asked.id}`))).state, 'done');
    const head = repository.pull(pull)?.head ?? '';
    assert.equal(await plainGit(repository.bare, ['show', `${head}:one.txt`]), '2');
    assert.equal(await plainGit(repository.bare, ['ls-tree', '--name-only', head, 'two.txt', 'evil.txt']), 'two.txt');
    const later = await world.settled(await world.deliver(hooks.reviewed(review)));
    assert.equal(later.request, keyOf(`review ${review.id}`));
    assert.equal(talk.reviewComments.filter(({ inReplyTo }) => inReplyTo !== undefined).length, 1);
    assert.equal(talk.said(pull).filter(text => text.startsWith('Done in')).length, 1);

    const { headCommit = '' } = (await stateOf(world, begun)).pullRequest ?? {};
    await shop.relay.stop();
    const log = bash('x', 'echo 3 > three.txt');
    talk.checks.push({ id: 1, commit: headCommit, name: 'test', conclusion: 'failure', log });
    await shop.relay.start();
    assert.equal((await world.done(keyOf(`checks ${headCommit}`))).state, 'done');
    assert.equal((await stateOf(world, begun)).turns.length, 4);

    await shop.relay.stop();
    github.merge('acme', repository.name, pull);
    await shop.relay.start();
    await eventually(async () => assert.equal((await stateOf(world, begun)).archived, true), 20_000);
    assert.deepEqual(github.violations(), []);
  });
});
