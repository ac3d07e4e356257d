import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { GithubFault } from '../support/github/githubFaults.ts';
import { openHookWorld, stateOf, type HookedRepository, type HookWorld } from '../support/hookWorld.ts';
import { scripted } from '../support/modelScript.ts';

const bash = (command: string, text = 'I did it.') => scripted('Do', [{ tool: 'Bash', input: { command } }, { text }]);

describe('what a webhook asked for', function () {
  this.timeout(240_000);
  let world: HookWorld;
  let repository: HookedRepository;
  let made = 0;

  before(async () => {
    world = await openHookWorld({ SANDPIPER_LEASE_MS: '1000' });
  });
  after(() => world.dispose());

  /** Kills the relay when GitHub has done what it was asked and has not answered, and starts another. */
  function killAt(operation: string): Promise<void> {
    return new Promise((resolve, reject) => {
      world.github.afterNext(operation, async () => {
        await world.shop.relay.stop('SIGKILL');
        world.shop.relay.start().then(resolve, reject);
      });
    });
  }

  async function begin(): Promise<{ number: number; key: string | undefined; pull: () => number[] }> {
    repository = await world.connect(`kill-${++made}`);
    const number = repository.openIssue('Add', bash('echo 1 > one.txt'));
    const { name } = repository;
    const pull = () => world.github.pullRequests().flatMap(one => (one.repository === name ? [one.number] : []));
    const delivery = await world.deliver(repository.hooks.labelled(number, 'sandpiper', 'alice'));
    assert.equal(delivery.status, 202);
    return { number, key: (await world.settled(delivery)).request, pull };
  }

  async function isDoneOnce(begun: Awaited<ReturnType<typeof begin>>): Promise<void> {
    const done = await world.done(begun.key);
    assert.equal(done.state, 'done', JSON.stringify(done));
    assert.equal(begun.pull().length, 1);
    const said = repository.talk.said(begun.number);
    assert.equal(said.length, 1, said.join('\n---\n'));
    assert.match(said[0] ?? '', /^Opened #/);
    assert.deepEqual(repository.talk.reactionsTo(`issue ${begun.number}`), ['eyes', 'rocket']);
    assert.equal((await stateOf(world, done)).turns.length, 1);
    const { sessions } = await world.shop.client.call('session.list', {});
    assert.equal(sessions.filter(({ repository: of }) => of.name === repository.name).length, 1);
  }

  // A relay that was started anew looks for what it has missed: before that, nobody else takes a fault.
  it('is done once though answers of the forge are lost', async () => {
    const faults: [GithubFault, string][] = [
      ['badGateway', 'repos/get-collaborator-permission-level'],
      ['socketCutAfterEffect', 'reactions/create-for-issue'],
      ['badGatewayAfterEffect', 'issues/create-comment'],
      ['badGateway', 'issues/list-comments'],
      ['socketCutAfterEffect', 'pulls/create'],
      ['badGatewayAfterEffect', 'issues/update-comment'],
    ];
    for (const [kind, operation] of faults) {
      world.github.fault(kind, { operation });
    }
    await isDoneOnce(await begin());
  });

  it('is given up with the reason where only a person can help, and tried again when one asks', async () => {
    world.github.fault('unauthorized', { operation: 'repos/get-collaborator-permission-level' });
    repository = await world.connect('refused');
    const number = repository.openIssue('Add', bash('echo 1 > one.txt'));
    const delivery = await world.deliver(repository.hooks.labelled(number, 'sandpiper', 'alice'));
    const settled = await world.settled(delivery);
    assert.equal(settled.state, 'dead');
    assert.match(settled.reason, /does not accept the token/);
    const { client } = world.shop;
    assert.ok((await client.call('hooks.show', { id: delivery.id })).payload?.includes('"labeled"'));
    assert.deepEqual(await client.call('hooks.retry', { id: delivery.id }), { retried: true });
    const { request } = await world.settled(delivery);
    assert.equal((await world.done(request)).state, 'done');
    assert.deepEqual(await client.call('hooks.retry', { id: delivery.id }), { retried: false });
    assert.equal((await client.call('hooks.show', { id: delivery.id })).payload, undefined);
  });

  for (const operation of [
    'repos/get-collaborator-permission-level',
    'reactions/create-for-issue',
    'issues/create-comment',
    'pulls/create',
    'issues/update-comment',
  ]) {
    it(`is done once though the relay is killed at ${operation}`, async () => {
      const restarted = killAt(operation);
      const begun = await begin();
      await restarted;
      await isDoneOnce(begun);
    });
  }

  it('answers each comment of a review once though the relay is killed between the answers', async () => {
    const begun = await begin();
    await isDoneOnce(begun);
    const { talk, hooks } = repository;
    const [number = 0] = begun.pull();
    const answer = '```review\nC1: addressed - a\nC2: addressed - b\n```';
    const review = talk.review(number, 'alice', {
      comments: [
        { path: 'one.txt', line: 1, body: bash('echo 2 > one.txt', answer) },
        { path: 'one.txt', line: 1, body: 'And this.' },
      ],
    });
    const restarted = killAt('pulls/create-reply-for-review-comment');
    const { request } = await world.settled(await world.deliver(hooks.reviewed(review)));
    await restarted;
    assert.equal((await world.done(request)).state, 'done');
    const again = await world.settled(await world.deliver(hooks.reviewed(review)));
    assert.equal(again.request, request);
    assert.equal(talk.reviewComments.filter(({ inReplyTo }) => inReplyTo !== undefined).length, 2);
  });
});
