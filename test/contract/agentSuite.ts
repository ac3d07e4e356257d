import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PermissionMode } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import type { Agent, AgentSignal, FoundAgent } from '../../server/src/agents/agent.ts';
import { silentLogger } from '../../server/src/core/log.ts';
import { createModelGateway, type ModelGateway } from '../../server/src/models/gateway.ts';
import { AgentRun } from '../support/agentRun.ts';
import { scripted } from '../support/modelScript.ts';
import { startScriptedModel, type ScriptedModel } from '../support/scriptedModel.ts';

/** The real program in a folder of its own, on the real gateway. */
interface Place {
  token: string;
  folder: string;
  workspace: string;
  conversationId: string;
  start(options?: { resume?: boolean; mode?: PermissionMode; env?: Record<string, string> }): AgentRun;
}

/** What an agent says of itself beside the course of a turn. */
const ANY_TIME: ReadonlySet<AgentSignal['kind']> = new Set(['delta', 'commands', 'context']);

/**
 * What every agent must do, proven with the real program, a scripted model and the real model gateway over a unix socket.
 * @param createAgent the agent under test, and where its program is
 */
export function agentSuite(name: string, createAgent: () => { agent: Agent; programPath: string }): void {
  describe(`agent: ${name}`, function () {
    this.timeout(40_000);
    const canary = `sk-ant-canary-${randomUUID()}`;
    let agent: Agent;
    let found: FoundAgent;
    let model: ScriptedModel;
    let gateway: ModelGateway;
    let realKey: string | undefined;
    let runs: AgentRun[];
    let folders: string[];

    before(async () => {
      const made = createAgent();
      agent = made.agent;
      found = await agent.find(made.programPath);
    });

    beforeEach(async () => {
      runs = [];
      folders = [];
      realKey = canary;
      model = await startScriptedModel({ apiKey: canary });
      gateway = createModelGateway({
        upstreamUrl: model.url,
        key: () => (realKey === undefined ? undefined : { kind: 'apiKey', value: realKey }),
        log: silentLogger,
        onUsage: () => {},
      });
    });

    afterEach(async () => {
      await Promise.all(runs.map(run => run.kill()));
      await gateway.dispose();
      await model.close();
      for (const folder of folders) {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    });

    async function place(budget: { budgetUsd?: number } = {}): Promise<Place> {
      const folder = mkdtempSync(join(tmpdir(), 'sp-agent-'));
      folders.push(folder);
      const [workspace, home, relay] = ['workspace', 'home', 'relay'].map(part => join(folder, part));
      assert.ok(workspace !== undefined && home !== undefined && relay !== undefined);
      mkdirSync(workspace);
      mkdirSync(home);
      const token = `session-${randomUUID()}`;
      const { socketName = '' } = await gateway.open({
        sessionId: folder,
        token,
        socketFolder: relay,
        spentUsd: 0,
        ...budget,
      });
      const conversationId = randomUUID();
      return {
        token,
        folder,
        workspace,
        conversationId,
        start: ({ resume = false, mode = 'ask', env = {} } = {}) => {
          const gatewaySpec = { socket: join(relay, socketName), token };
          const run = new AgentRun(
            agent,
            {
              found,
              program: found.path,
              workspace,
              home,
              journal: join(folder, 'journal'),
              conversationId,
              segment: resume ? 2 : 1,
              resume,
              model: undefined,
              effort: undefined,
              permissionMode: mode,
              gateway: gatewaySpec,
              isolated: false,
            },
            env,
          );
          runs.push(run);
          return run;
        },
      };
    }

    /** Of what happens in a turn; what an agent says of itself may come at any time. */
    const kinds = (run: AgentRun): AgentSignal['kind'][] =>
      run.signals.map(signal => signal.kind).filter(kind => !ANY_TIME.has(kind));
    const texts = (run: AgentRun): string[] =>
      run.signals.flatMap(signal => (signal.kind === 'text' ? [signal.text] : []));
    const finished = (run: AgentRun) => run.signals.filter(signal => signal.kind === 'toolFinished');

    it('streams text, takes the message once and ends the turn', async () => {
      const run = (await place()).start();
      const messageId = newId('msg');
      const end = await run.turn(
        messageId,
        scripted('hello', [{ text: 'some streamed text', deltas: 3, delayMs: 20 }]),
      );
      assert.equal(end.outcome, 'completed');
      assert.deepEqual(kinds(run), ['turnStarted', 'messageTaken', 'text', 'turnEnded']);
      assert.equal((await run.next('messageTaken')).messageId, messageId);
      const deltas = run.signals.filter(signal => signal.kind === 'delta');
      const text = await run.next('text');
      assert.equal(deltas.map(delta => delta.text).join(''), text.text);
      assert.deepEqual([...new Set(deltas.map(delta => delta.itemId))], [text.itemId]);
    });

    it('does not do a message again that is sent again', async () => {
      const run = (await place()).start();
      const messageId = newId('msg');
      const prompt = scripted('once', [{ text: 'one' }, { text: 'two' }]);
      await run.turn(messageId, prompt);
      run.say(messageId, prompt);
      await run.turn(newId('msg'), scripted('next', [{ text: 'three' }]));
      assert.deepEqual(texts(run), ['one', 'three']);
      assert.equal(run.signals.filter(signal => signal.kind === 'messageTaken').length, 2);
    });

    it('runs several tools, asks before it does, and tells what came of them', async () => {
      const at = await place();
      const run = at.start();
      run.say(
        newId('msg'),
        scripted('work', [
          {
            thinking: 'first a file',
            text: 'Writing.',
            tool: 'Write',
            input: { file_path: `${at.workspace}/a.txt`, content: 'a' },
          },
          { tool: 'Bash', input: { command: 'cat a.txt missing.txt' } },
          { text: 'Done.' },
        ]),
      );
      const write = await run.next('approvalAsked');
      assert.equal(write.approval.kind, 'tool');
      assert.equal(write.approval.title, 'Write a.txt');
      assert.ok(!existsSync(join(at.workspace, 'a.txt')), 'nothing happens before the answer');
      run.answer(write, { kind: 'allow' });
      await run.next('turnEnded');
      assert.equal(readFileSync(join(at.workspace, 'a.txt'), 'utf8'), 'a');
      assert.deepEqual(texts(run), ['Writing.', 'Done.']);
      assert.equal((await run.next('thinking')).text, 'first a file');
      assert.deepEqual(
        finished(run).map(signal => signal.outcome),
        ['ok', 'failed'],
      );
    });

    it('takes a refusal with its reason, and goes on', async () => {
      const at = await place();
      const run = at.start();
      run.say(
        newId('msg'),
        scripted('work', [{ tool: 'Bash', input: { command: 'touch no.txt' } }, { text: 'Well.' }]),
      );
      const asked = await run.next('approvalAsked');
      run.answer(asked, { kind: 'deny', message: 'not now, please' });
      assert.equal((await run.next('turnEnded')).outcome, 'completed');
      const [tool] = finished(run);
      assert.equal(tool?.outcome, 'denied');
      assert.match(tool?.output ?? '', /not now, please/);
      assert.ok(!existsSync(join(at.workspace, 'no.txt')));
      assert.deepEqual(texts(run), ['Well.']);
    });

    it('asks once for a rule that is always allowed, and writes no settings into the repository', async () => {
      const at = await place();
      const run = at.start();
      const steps = [{ tool: 'Bash', input: { command: 'touch yes.txt' } }, { text: 'ok' }];
      run.say(newId('msg'), scripted('first', steps));
      const asked = await run.next('approvalAsked');
      assert.ok(asked.approval.canAlwaysAllow);
      run.answer(asked, { kind: 'allow', always: true });
      await run.next('turnEnded');
      await run.turn(newId('msg'), scripted('second', steps));
      assert.equal(run.signals.filter(signal => signal.kind === 'approvalAsked').length, 1);
      assert.deepEqual(readdirSync(at.workspace), ['yes.txt']);
    });

    it('asks questions and hears the answers', async () => {
      const run = (await place()).start();
      const question = {
        question: 'Which store?',
        header: 'Store',
        multiSelect: false,
        options: [
          { label: 'SQLite', description: 'embedded' },
          { label: 'Postgres', description: 'server' },
        ],
      };
      run.say(
        newId('msg'),
        scripted('ask', [{ tool: 'AskUserQuestion', input: { questions: [question] } }, { text: 'thanks' }]),
      );
      const asked = await run.next('approvalAsked');
      assert.equal(asked.approval.kind, 'questions');
      assert.deepEqual(asked.approval.questions, [question]);
      run.answer(asked, { kind: 'answers', answers: { 'Which store?': 'SQLite' } });
      await run.next('turnEnded');
      assert.match(finished(run)[0]?.output ?? '', /"Which store\?"="SQLite"/);
    });

    it('shows a plan, changes it on a refusal, and starts work when it is approved', async () => {
      const at = await place();
      const run = at.start({ mode: 'plan' });
      const plan = { tool: 'ExitPlanMode', input: { plan: '# Plan' } };
      const write = { tool: 'Write', input: { file_path: `${at.workspace}/planned.txt`, content: 'x' } };
      run.say(newId('msg'), scripted('plan', [plan, plan, write, { text: 'built' }]));
      const first = await run.next('approvalAsked');
      assert.equal(first.approval.kind, 'plan');
      run.answer(first, { kind: 'deny', message: 'add tests' });
      const second = await run.next('approvalAsked', signal => signal.approvalId !== first.approvalId);
      assert.equal(second.approval.kind, 'plan');
      run.answer(second, { kind: 'allow' });
      const third = await run.next('approvalAsked', signal => signal.approval.kind === 'tool');
      run.answer(third, { kind: 'allow' });
      assert.equal((await run.next('turnEnded')).outcome, 'completed');
      assert.deepEqual(
        finished(run).map(signal => signal.outcome),
        ['denied', 'ok', 'ok'],
      );
      assert.ok(existsSync(join(at.workspace, 'planned.txt')));
    });

    it('stops in the middle of a tool, of a text and of a question, and works on afterwards', async () => {
      const run = (await place()).start();
      run.say(
        newId('msg'),
        scripted('slow', [{ tool: 'Bash', input: { command: 'touch x; sleep 60' } }, { text: 'no' }]),
      );
      run.answer(await run.next('approvalAsked'), { kind: 'allow' });
      // The echo of the answer: the tool runs now.
      await run.next('toolStarted');
      await waitForLine(run, line => line.includes('"behavior":"allow"'));
      run.interrupt();
      const end = await run.next('turnEnded');
      assert.deepEqual([end.outcome, end.failure], ['stopped', undefined]);
      assert.equal(finished(run)[0]?.outcome, 'stopped');

      let from = run.signals.length;
      run.say(newId('msg'), scripted('long', [{ text: 'words '.repeat(100), deltas: 100, delayMs: 50 }]));
      await run.next('delta', undefined, from);
      run.interrupt();
      assert.equal((await run.next('turnEnded', undefined, from)).outcome, 'stopped');

      from = run.signals.length;
      run.say(newId('msg'), scripted('ask', [{ tool: 'Bash', input: { command: 'touch y' } }, { text: 'no' }]));
      const asked = await run.next('approvalAsked', undefined, from);
      run.interrupt();
      const withdrawn = await run.next('approvalWithdrawn', undefined, from);
      assert.equal(withdrawn.approvalId, asked.approvalId);
      assert.equal((await run.next('turnEnded', undefined, from)).outcome, 'stopped');

      assert.equal((await run.turn(newId('msg'), scripted('on', [{ text: 'still here' }]))).outcome, 'completed');
    });

    it('tries again after a rate limit, an overload and a broken connection', async () => {
      const run = (await place()).start();
      const limited = await run.turn(
        newId('msg'),
        scripted('429', [{ status: 429, times: 2, retryAfter: 0, text: 'after all' }]),
      );
      assert.equal(limited.outcome, 'completed');
      await run.turn(newId('msg'), scripted('529', [{ status: 529, times: 1, text: 'calm again' }]));
      const retries = run.signals.flatMap(signal => (signal.kind === 'retrying' ? [signal.status] : []));
      assert.deepEqual(retries, [429, 429, 529]);

      const from = run.signals.length;
      const cut = { text: 'a text that breaks', deltas: 6, delayMs: 40, drop: 'mid' as const };
      await run.turn(newId('msg'), scripted('cut', [cut]));
      const deltas = run.signals.slice(from).filter(signal => signal.kind === 'delta');
      assert.ok(
        deltas.some(delta => delta.offset === 0 && delta.text === ''),
        'the broken attempt is taken back',
      );
      assert.deepEqual(texts(run).slice(-1), ['a text that breaks']);
    });

    it('ends the turn with a clear failure, and works again when the cause is gone', async () => {
      const run = (await place()).start({ env: { CLAUDE_CODE_MAX_RETRIES: '1' } });
      const cases: [() => void, Parameters<typeof scripted>[1], string][] = [
        [() => (realKey = undefined), [{ text: 'x' }], 'model_key_missing'],
        [() => (realKey = 'sk-wrong'), [{ text: 'x' }], 'model_key_rejected'],
        [() => (realKey = canary), [{ status: 529 }], 'unavailable'],
        [() => {}, [{ status: 400, message: 'odd' }], 'agent_failed'],
      ];
      for (const [prepare, steps, code] of cases) {
        prepare();
        const end = await run.turn(newId('msg'), scripted('fail', steps));
        assert.equal(end.outcome, 'failed');
        assert.equal(end.failure?.code, code, JSON.stringify(end.failure));
        assert.ok(end.failure !== undefined && !end.failure.message.includes('['));
      }
      assert.deepEqual(texts(run), [], 'a failure is not also a text');
      const after = await run.turn(newId('msg'), scripted('again', [{ text: 'alive' }]));
      assert.equal(after.outcome, 'completed');
    });

    it('stops when the budget is spent', async () => {
      const run = (await place({ budgetUsd: 0.004 })).start();
      const steps = [{ tool: 'Bash', input: { command: 'true' } }, { text: 'too far' }];
      const end = await run.turn(newId('msg'), scripted('spend', steps));
      assert.equal(end.failure?.code, 'budget_spent');
      assert.deepEqual(texts(run), []);
    });

    it('keeps two sessions apart', async () => {
      const one = (await place()).start();
      const two = (await place()).start();
      const words = (word: string) => scripted(word, [{ text: `${word} `.repeat(20), deltas: 10, delayMs: 10 }]);
      await Promise.all([one.turn(newId('msg'), words('one')), two.turn(newId('msg'), words('two'))]);
      assert.match(texts(one).join(''), /^(one )+$/);
      assert.match(texts(two).join(''), /^(two )+$/);
    });

    it('knows its conversation again after it was killed', async () => {
      const at = await place();
      const first = at.start();
      await first.turn(newId('msg'), scripted('remember', [{ text: 'step one' }, { text: 'step two' }]));
      await first.kill();
      const second = at.start({ resume: true });
      // The script stands in the first prompt only: without the history there would be none.
      await second.turn(newId('msg'), 'go on');
      assert.deepEqual(texts(second), ['step two']);
    });

    it('has nothing of the real key in its reach', async () => {
      const at = await place();
      const run = at.start();
      const look = { command: 'env; cat /proc/self/environ /proc/$PPID/environ | tr "\\0" "\\n"', description: 'look' };
      run.say(newId('msg'), scripted('spy', [{ tool: 'Bash', input: look }, { text: 'seen' }]));
      run.answer(await run.next('approvalAsked'), { kind: 'allow' });
      await run.next('turnEnded');
      assert.match(finished(run)[0]?.output ?? '', /ANTHROPIC_AUTH_TOKEN=session-/);
      const keys = model.requests().map(request => request.headers['x-api-key']);
      assert.ok(keys.length > 0);
      assert.deepEqual([...new Set(keys)], [canary], 'upstream saw the real key');
      assert.ok(!JSON.stringify(model.requests()).includes(at.token), 'and never the token');
      assert.ok(!run.lines.join('\n').includes(canary), 'not in the output');
      const files = readdirSync(at.folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
      assert.ok(files.length > 0);
      for (const file of files) {
        const path = join(file.parentPath, file.name);
        assert.ok(!readFileSync(path).includes(canary), path);
      }
    });
  });
}

async function waitForLine(run: AgentRun, test: (line: string) => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !run.lines.some(test);) {
    assert.ok(Date.now() < deadline, 'the line did not come');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
