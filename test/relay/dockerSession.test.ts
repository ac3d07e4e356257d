import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { SessionState, ToolItem } from '../../protocol/session.ts';
import { startTestEngine, whyNoEngine, type TestEngine } from '../support/docker/dockerEngine.ts';
import { engineCall } from '../support/docker/engineCall.ts';
import { startEngineProxy } from '../support/docker/engineProxy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/freePort.ts';
import { requireOrSkip } from '../support/requirement.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const run = promisify(execFile);

const idle = (turns: number) => (state: SessionState) => {
  // Nobody is there to mend it: waiting on tells no more.
  assert.notEqual(state.phase.kind, 'blocked', JSON.stringify(state.phase));
  return state.phase.kind === 'idle' && state.turns.length === turns;
};
const tools = (state: SessionState) => state.items.filter((item): item is ToolItem => item.kind === 'tool');

/** The real agent in real containers of a real engine. */
describe('a session in a container', function () {
  this.timeout(120_000);
  let engine: TestEngine | undefined;
  let shop: Workshop;

  before(async function () {
    const reason = whyNoEngine();
    requireOrSkip(this, 'sessions in containers', reason === undefined, reason ?? '');
    engine = await startTestEngine();
    shop = await openWorkshop({ DOCKER_HOST: `unix://${engine.socket}`, SANDPIPER_DOCKER_IMAGE: engine.image });
  });
  after(async () => {
    await shop?.dispose();
    await engine?.stop();
  });

  const begin = async (script: Parameters<Workshop['begin']>[0]) => shop.begin(script, { provider: 'docker' });
  const content = async (sessionId: string, path: string) =>
    (await shop.client.call('changes.file', { sessionId, side: 'proposed', path })).content;
  const containers = async () => {
    assert.ok(engine);
    const found = await engineCall(engine.socket, 'GET', '/containers/json?all=1');
    assert.ok(Array.isArray(found));
    return found.map((each: { Id: string; Labels: Record<string, string> }) => each);
  };

  it('works without a network and without a secret, and its work becomes a checkpoint', async () => {
    const before = await run('git', ['-C', shop.repository, 'status', '--porcelain', '--branch']);
    const look = 'echo new > added.txt; env; cat /proc/*/environ | tr "\\0" "\\n"; ls -A /sys/class/net; id -u';
    const id = await begin([{ tool: 'Bash', input: { command: look } }, { text: 'Done.' }]);
    const state = await shop.until(id, 'one turn', idle(1), 60_000);
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
    assert.deepEqual([state.provider, state.isolation], ['docker', 'container']);
    assert.match(tools(state)[0]?.output?.text ?? '', /^lo\n1000\s*$/m);
    assert.equal(JSON.stringify(state).includes(REAL_KEY), false);
    assert.equal(await content(id, 'added.txt'), 'new\n');
    const after = await run('git', ['-C', shop.repository, 'status', '--porcelain', '--branch']);
    assert.equal(after.stdout, before.stdout);
    const labels = (await containers()).map(({ Labels }) => Labels['dev.sandpiper.session']);
    assert.ok(labels.includes(id));
  });

  it('goes on with the same agent through kills of the relay: no lost event, none twice', async () => {
    const words = Array.from({ length: 300 }, (_, index) => `word${index}`).join(' ');
    const id = await begin([
      { text: words, deltas: 300, delayMs: 15, tool: 'Bash', input: { command: 'echo ended > ended.txt' } },
      { text: 'The end.' },
    ]);
    await shop.until(id, 'the turn runs', state => state.phase.kind === 'working', 60_000);
    for (let kills = 0; kills < 3; kills++) {
      await shop.relay.stop('SIGKILL');
      await shop.relay.start();
    }
    const state = await shop.until(id, 'one turn', idle(1), 60_000);
    assert.equal(state.turns[0]?.agent?.outcome, 'completed');
    assert.equal(state.agent.segment, 1, 'the agent was never started again');
    assert.ok(state.items.some(item => item.kind === 'text' && item.text.text === words));
    const events = await shop.events(id);
    assert.deepEqual(
      events.map(event => event.seq),
      events.map((_, index) => index + 1),
    );
    assert.equal(await content(id, 'ended.txt'), 'ended\n');
  });

  it('keeps the work when somebody removes its container, and goes on in another', async () => {
    const id = await begin([
      { tool: 'Bash', input: { command: 'echo kept > kept.txt; echo ignored > .git/x; sleep 300' } },
      { text: 'never' },
    ]);
    await shop.until(id, 'a tool runs', state => tools(state)[0]?.state === 'running', 60_000);
    const workspace = async () => {
      const ready = (await shop.events(id)).findLast(({ body }) => body.type === 'sandboxReady')?.body;
      return ready?.type === 'sandboxReady' ? `${shop.dataFolder}/containers/${ready.sandboxId}/workspace` : '';
    };
    const place = await workspace();
    await eventually(async () => {
      await run('test', ['-f', `${place}/kept.txt`]);
    });
    const mine = (await containers()).find(({ Labels }) => Labels['dev.sandpiper.session'] === id);
    assert.ok(engine && mine);
    await engineCall(engine.socket, 'DELETE', `/containers/${mine.Id}?force=1`);
    const ended = await shop.until(id, 'the turn ended', idle(1), 60_000);
    assert.equal(ended.turns[0]?.agent?.outcome, 'failed');
    assert.equal(await content(id, 'kept.txt'), 'kept\n');
    await shop.send(id, [{ tool: 'Bash', input: { command: 'cat kept.txt' } }, { text: 'Still there.' }]);
    const state = await shop.until(id, 'two turns', idle(2), 60_000);
    assert.equal(state.turns[1]?.agent?.outcome, 'completed');
    assert.match(tools(state).at(-1)?.output?.text ?? '', /kept/);
  });

  it('is removed with its container when it is deleted', async () => {
    const id = await begin([{ text: 'Hello.' }]);
    await shop.until(id, 'one turn', idle(1), 60_000);
    await shop.client.call('session.delete', { sessionId: id });
    await eventually(async () => {
      const left = (await containers()).filter(({ Labels }) => Labels['dev.sandpiper.session'] === id);
      assert.deepEqual(left, []);
    });
  });

  it('works at an engine elsewhere: commits and the agent are sent, the model is reached by an address', async () => {
    assert.ok(engine);
    const port = await freePort();
    const proxy = await startEngineProxy(engine.socket);
    const refused = await openWorkshop({ DOCKER_HOST: proxy.url, SANDPIPER_DOCKER_IMAGE: engine.image });
    try {
      await assert.rejects(refused.begin([{ text: 'x' }], { provider: 'docker' }), {
        code: 'sandbox_unavailable',
        message: /does not see the files of this machine/,
      });
    } finally {
      await refused.dispose();
    }
    const elsewhere = await openWorkshop({
      DOCKER_HOST: proxy.url,
      SANDPIPER_DOCKER_IMAGE: engine.image,
      // The test's engine has no other network that leads to this machine.
      SANDPIPER_DOCKER_NETWORK: 'host',
      SANDPIPER_PUBLIC_URL: `http://127.0.0.1:${port}`,
      SANDPIPER_GATEWAY_PORT: String(port),
    });
    try {
      const id = await elsewhere.begin(
        [{ tool: 'Bash', input: { command: 'echo far > far.txt; env' } }, { text: 'Done.' }],
        { provider: 'docker' },
      );
      await elsewhere.until(id, 'a running agent', state => state.agent.running, 100_000);
      await elsewhere.relay.stop('SIGKILL');
      await elsewhere.relay.start();
      const state = await elsewhere.until(id, 'one turn', idle(1), 60_000);
      assert.equal(state.turns[0]?.agent?.outcome, 'completed');
      assert.equal(JSON.stringify(state).includes(REAL_KEY), false);
      const changed = { sessionId: id, side: 'proposed', path: 'far.txt' } as const;
      assert.equal((await elsewhere.client.call('changes.file', changed)).content, 'far\n');
      await elsewhere.send(id, [{ tool: 'Bash', input: { command: 'cat far.txt >> more.txt' } }, { text: 'More.' }]);
      const second = await elsewhere.until(id, 'two turns', idle(2), 60_000);
      assert.equal(second.turns[1]?.agent?.outcome, 'completed');
    } finally {
      await elsewhere.dispose();
      await proxy.close();
    }
  });
});
