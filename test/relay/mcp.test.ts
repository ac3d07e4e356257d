import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { readRelayAddress, type RelayAddress } from '../../client/relayAddress.ts';
import { Cli } from '../support/cliProcess.ts';
import { askMcp, parseAnswer, toolText } from '../support/mcpCalls.ts';
import { scripted } from '../support/modelScript.ts';
import { CLAUDE } from '../support/relayProcess.ts';
import { openWorkshop, REAL_KEY, type Workshop } from '../support/workshop.ts';

const WRITES = [{ tool: 'Bash', input: { command: 'echo new > made.txt' } }, { text: 'I made it.' }];
const INITIALIZE = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};

describe('the relay as an MCP server', function () {
  this.timeout(90_000);
  let workshop: Workshop;
  let relay: RelayAddress;

  before(async () => {
    workshop = await openWorkshop();
    const address = await readRelayAddress(workshop.dataFolder);
    assert.ok(address);
    relay = address;
  });
  after(() => workshop.dispose());

  const use = async (name: string, args: Record<string, unknown>) =>
    toolText((await askMcp(relay, 'tools/call', { name, arguments: args })).answer);
  const started = async (prompt: string): Promise<string> => {
    const { text, isError } = await use('start_session', { repository: workshop.repository, prompt });
    assert.equal(isError, false, text);
    return z.object({ sessionId: z.string() }).parse(JSON.parse(text)).sessionId;
  };

  it('wants the token, and answers POST alone', async () => {
    assert.equal((await askMcp({ url: relay.url }, 'tools/list', {})).status, 401);
    const response = await fetch(`${relay.url}/mcp`, { headers: { authorization: `Bearer ${relay.token}` } });
    assert.equal(response.status, 405);
    await response.body?.cancel();
  });

  it('has no tool that decides in place of a person', async () => {
    const { answer } = await askMcp(relay, 'tools/list', {});
    const { tools } = z.object({ tools: z.array(z.looseObject({ name: z.string() })) }).parse(answer?.result);
    assert.deepEqual(tools.map(({ name }) => name).toSorted(), [
      'get_diff',
      'get_session',
      'list_sessions',
      'open_pull_request',
      'send_message',
      'start_session',
      'stop_session',
      'wait_for_session',
    ]);
  });

  it('starts a session, waits until it needs a person, and again until it is done, and reads its diff', async () => {
    const sessionId = await started(scripted('Make a file.', WRITES));
    const waiting = await use('wait_for_session', { sessionId, seconds: 40 });
    assert.match(waiting.text, /"settled": true/);
    assert.match(waiting.text, /echo new > made.txt/);
    assert.match(waiting.text, /cannot be answered from here/);

    const approval = (await workshop.client.call('session.get', { sessionId })).approvals[0];
    const done = use('wait_for_session', { sessionId, seconds: 40 });
    assert.ok(approval);
    await workshop.client.call('session.answer', { sessionId, approvalId: approval.id, decision: { kind: 'allow' } });
    await workshop.until(sessionId, 'done', ({ turns }) => turns[0]?.checkpoint !== undefined);
    await done;
    const ready = await use('wait_for_session', { sessionId, seconds: 40 });
    assert.match(ready.text, /"status": "ready"/);
    assert.match(ready.text, /I made it\./);
    assert.match((await use('get_diff', { sessionId })).text, /^\+new$/m);
    const refused = await use('open_pull_request', { sessionId });
    assert.equal(refused.isError, true);
  });

  it('returns from waiting when the time is over, with the session as it is', async () => {
    const sessionId = await started(scripted('Think.', [{ waitMs: 20_000, text: 'Late.' }]));
    const { text } = await use('wait_for_session', { sessionId, seconds: 1 });
    assert.match(text, /"settled": false/);
    await use('stop_session', { sessionId });
    await workshop.until(sessionId, 'stopped', ({ phase }) => phase.kind === 'idle');
  });

  it('refuses what is wrong with a sentence that a model can act on', async () => {
    const gone = await use('get_session', { sessionId: `ses_${'0'.repeat(26)}` });
    assert.deepEqual([gone.isError, /session/i.test(gone.text)], [true, true]);
    const nowhere = await use('start_session', { repository: join(workshop.folder, 'none'), prompt: 'x' });
    assert.equal(nowhere.isError, true);
    const wrong = await askMcp(relay, 'tools/call', { name: 'get_session', arguments: { sessionId: '../x' } });
    assert.match(JSON.stringify(wrong.answer), /sessionId/);
  });

  it('is used by the real Claude Code', async () => {
    const config = join(workshop.folder, 'mcp.json');
    const headers = { Authorization: `Bearer ${relay.token}` };
    await writeFile(
      config,
      JSON.stringify({ mcpServers: { sandpiper: { type: 'http', url: `${relay.url}/mcp`, headers } } }),
    );
    const prompt = scripted('Look.', [
      { tool: 'mcp__sandpiper__list_sessions', input: { limit: 5 } },
      { text: 'Seen.' },
    ]);
    const flags = ['-p', '--output-format', 'stream-json', '--verbose', '--strict-mcp-config', '--mcp-config', config];
    const child = spawn(CLAUDE, [...flags, '--allowedTools', 'mcp__sandpiper__list_sessions', '--', prompt], {
      cwd: workshop.repository,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: workshop.folder,
        ANTHROPIC_BASE_URL: workshop.model.url,
        ANTHROPIC_API_KEY: REAL_KEY,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    assert.match(output, /tool_result.*Make a file/, output.slice(-2000));
  });

  it('is served on standard input and output by `sandpiper mcp`', async () => {
    const cli = new Cli(workshop.dataFolder);
    const child = cli.start(['mcp']);
    assert.ok(child.stdin && child.stdout);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ask = async (id: number, method: string, params: Record<string, unknown>) => {
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      return parseAnswer(String((await lines.next()).value));
    };
    assert.ok((await ask(1, 'initialize', INITIALIZE)).result);
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    const listed = toolText(await ask(2, 'tools/call', { name: 'list_sessions', arguments: {} }));
    const { sessions } = z
      .object({ sessions: z.array(z.looseObject({ sessionId: z.string() })) })
      .parse(JSON.parse(listed.text));
    const sessionId = sessions.at(-1)?.sessionId;
    const waited = toolText(await ask(3, 'tools/call', { name: 'wait_for_session', arguments: { sessionId } }));
    assert.match(waited.text, /"settled": true/);
    child.stdin.end();
    assert.equal((await child.result).code, 0);
  });
});
