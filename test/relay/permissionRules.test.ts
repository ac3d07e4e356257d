import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { ApprovalDecision } from '../../protocol/events.ts';
import type { SessionState } from '../../protocol/session.ts';
import { Cli } from '../support/cliProcess.ts';
import { rejects } from '../support/rejects.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const TOUCH = (name: string) => [{ text: 'So.', tool: 'Bash', input: { command: `touch ${name}` } }, { text: 'Done.' }];
const RULE = 'Bash(touch:*)';

describe('what agents may do without asking', function () {
  this.timeout(180_000);
  let shop: Workshop;
  before(async () => {
    shop = await openWorkshop();
  });
  after(async () => {
    await shop?.dispose();
  });

  const asked = (sessionId: string, turns = 1): Promise<SessionState> =>
    shop.until(sessionId, 'a question', state => state.approvals.length > 0 && state.turns.length === turns, 60_000);
  const done = (sessionId: string, turns: number): Promise<SessionState> =>
    shop.until(
      sessionId,
      `turn ${turns}`,
      ({ phase, turns: all }) => phase.kind === 'idle' && all.length === turns,
      60_000,
    );
  const begin = (name: string): Promise<string> => shop.begin(TOUCH(name), { permissionMode: 'ask' });
  const answer = async (sessionId: string, decision: ApprovalDecision): Promise<void> => {
    const { approvals } = await shop.client.call('session.get', { sessionId });
    await shop.client.call('session.answer', { sessionId, approvalId: approvals[0]?.id ?? '', decision });
  };
  const rules = async (): Promise<string[]> =>
    (await shop.client.call('rules.list', {})).rules.map(({ rule, scope }) => `${scope} ${rule}`);
  let first = '';
  let rule = '';

  it('says with the question what "always" would allow, and through which client it was answered', async () => {
    first = await begin('one');
    const { approvals } = await asked(first);
    rule = approvals[0]?.rules?.[0] ?? '';
    assert.match(rule, /^Bash\(touch/);
    await answer(first, { kind: 'allow', always: true });
    const { answered, rules: kept } = await done(first, 1);
    assert.deepEqual(kept, [rule]);
    const given = answered[0]?.answer;
    assert.deepEqual(given && 'via' in given && [given.by, given.via], ['owner', 'test']);
    assert.deepEqual(await rules(), [`session ${rule}`]);
  });

  it('keeps a rule of a session when its agent is started again', async () => {
    await shop.client.call('rules.add', { rule: RULE, scope: 'session', sessionId: first });
    await shop.client.call('rules.remove', { rule, scope: 'session', sessionId: first });
    await shop.send(first, TOUCH('two'));
    const { rules: kept, agent, answered } = await done(first, 2);
    assert.deepEqual(kept, [RULE]);
    assert.equal(agent.segment, 2, 'the agent was started again with its rules');
    assert.equal(answered.length, 1, 'it did not ask');
  });

  it('asks again when the rule is removed, in other sessions and when another sandbox is made', async () => {
    const other = await begin('three');
    await asked(other);
    await answer(other, { kind: 'deny' });
    await done(other, 1);
    const { removed } = await shop.client.call('rules.remove', { rule: RULE, scope: 'session', sessionId: first });
    assert.equal(removed, true);
    await shop.send(first, TOUCH('four'));
    await asked(first, 3);
    await answer(first, { kind: 'allow' });
    await done(first, 3);
    assert.deepEqual(await rules(), []);
  });

  it('holds for a repository or everywhere, also for agents that run, until it is removed', async () => {
    const session = await begin('five');
    await asked(session);
    await shop.client.call('rules.add', { rule: RULE, scope: 'repository', sessionId: session });
    await answer(session, { kind: 'allow' });
    await done(session, 1);
    await shop.send(session, TOUCH('six'));
    assert.equal((await done(session, 2)).answered.length, 1);
    const fresh = await begin('seven');
    assert.equal((await done(fresh, 1)).answered.length, 0);
    assert.deepEqual(await rules(), [`repository ${RULE}`]);

    await shop.relay.stop('SIGKILL');
    await shop.relay.start();
    assert.deepEqual(await rules(), [`repository ${RULE}`]);
    const [{ repository } = {}] = (await shop.client.call('rules.list', {})).rules;
    await shop.client.call('rules.remove', { rule: RULE, scope: 'repository', repositoryId: repository?.id ?? '' });
    await shop.send(session, TOUCH('eight'));
    await asked(session, 3);
    await answer(session, { kind: 'allow', always: true, scope: 'everywhere' });
    await done(session, 3);
    assert.deepEqual(await rules(), [`everywhere ${rule}`.replace('one', 'eight')]);
  });

  it('refuses what is no rule, and a rule for nothing', async () => {
    await rejects(shop.client.call('rules.add', { rule: 'Bash(a\nb)', scope: 'everywhere' }), 'invalid_params');
    await rejects(shop.client.call('rules.add', { rule: '--allow', scope: 'everywhere' }), 'invalid_params');
    await rejects(shop.client.call('rules.add', { rule: RULE, scope: 'session' }), 'invalid_params');
    await rejects(shop.client.call('rules.add', { rule: RULE, scope: 'repository', repositoryId: 'x' }), 'not_found');
  });

  it('is listed and changed on the command line', async () => {
    const cli = new Cli(shop.dataFolder);
    assert.equal((await cli.run(['rules', 'add', 'Bash', '--repo', 'sample'])).stdout, 'added\n');
    assert.match(
      (await cli.run(['rules'])).stdout,
      /^Bash {2}repository sample {2}\(allows everything of this tool\)$/m,
    );
    assert.equal((await cli.run(['rules', 'remove', 'Bash', '--repo', 'sample'])).stdout, 'removed\n');
    assert.equal((await cli.run(['rules', 'remove', 'Bash', '--repo', 'sample'])).stdout, 'nothing to change\n');
    assert.equal((await cli.run(['rules', 'add', 'Bash'])).code, 1);
  });
});
