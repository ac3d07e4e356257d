import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRelay } from '../client/localRelay.ts';
import { createRelayClient, type RelayClient } from '../client/relayClient.ts';
import { createWsSocket } from '../client/wsSocket.ts';
import type { SessionState } from '../protocol/session.ts';
import { createStyle, plain, renderEvent } from '../server/src/cli/render.ts';
import { startGithubServer } from '../test/support/githubServer.ts';
import { startScriptedModel } from '../test/support/scriptedModel.ts';
import { DEMO_PROMPT, DEMO_SCRIPT, makeSample, testPasses } from './demo/sample.ts';
import { describeMissing, setUp } from './setup.ts';

/*
 * The whole line, every part real but the model's words and GitHub: a failing test, Claude Code in a sandbox, the change,
 * a push and a pull request. `--real` uses the real model, `--keep` leaves everything up, `--editor` shows it in VS Code.
 */

const ROOT = join(import.meta.dirname, '..');
const DEMO_KEY = 'sk-ant-demo-key-that-stays-in-the-relay';
const options = {
  real: process.argv.includes('--real'),
  keep: process.argv.includes('--keep'),
  editor: process.argv.includes('--editor'),
};
const style = createStyle(process.stdout.isTTY);
const cleanups: (() => Promise<unknown> | void)[] = [];

try {
  await demo();
} catch (error) {
  console.error(style.red(`demo: failed — ${error instanceof Error ? error.message : String(error)}`));
  process.exitCode = 1;
} finally {
  for (const cleanup of cleanups.reverse()) {
    await Promise.resolve(cleanup()).catch((error: unknown) => console.error(`demo: clean-up: ${String(error)}`));
  }
}

async function demo(): Promise<void> {
  const { missing } = await setUp(
    ['sqlite', 'bubblewrap', ...(options.keep || options.editor ? (['bundles'] as const) : [])],
    line => say(line),
  );
  for (const miss of missing) {
    say(style.yellow(describeMissing(miss)));
  }
  const realKey = process.env['ANTHROPIC_API_KEY'];
  if (options.real && !realKey) {
    throw new Error('--real needs ANTHROPIC_API_KEY to be set.');
  }
  const folder = await mkdtemp(join(tmpdir(), 'sandpiper-demo-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const repository = join(folder, 'slug');
  await makeSample(repository);

  const github = await startGithubServer();
  cleanups.push(() => github.close());
  const { cloneUrl, bareFolder } = await github.createRepository('octo', 'slug', {
    from: repository,
    defaultBranch: 'main',
  });
  await runProgram('git', ['-C', repository, 'remote', 'add', 'origin', cloneUrl]);
  const model = await startScriptedModel({ apiKey: DEMO_KEY, fallback: DEMO_SCRIPT });
  cleanups.push(() => model.close());

  const client = await startRelay(folder, {
    ANTHROPIC_API_KEY: options.real && realKey ? realKey : DEMO_KEY,
    ...(options.real ? {} : { ANTHROPIC_BASE_URL: model.url }),
    SANDPIPER_CLAUDE: join(ROOT, 'node_modules/.bin/claude'),
    SANDPIPER_GITHUB_TOKEN: github.token,
    SANDPIPER_GITHUB_HOSTS: `${github.host}=${github.apiUrl}`,
  });
  const { sessionId, files } = await fixTheTest(client, repository);
  const { diff } = await client.call('changes.diff', { sessionId });
  console.log(colouredDiff(diff));
  const { pullRequest } = await client.call('pullRequest.open', { sessionId });
  if (!(await testPasses(bareFolder, pullRequest.branch, join(folder, 'check')))) {
    throw new Error(`The test still fails on ${pullRequest.branch}.`);
  }
  say(`The test passes on ${pullRequest.branch}; the pull request is ${pullRequest.url}`);
  if (options.keep || options.editor) {
    await stayUp(folder, repository);
  }
  const { lastSeq } = await client.call('session.events', { sessionId, limit: 1 });
  console.log(`demo: ok session=${sessionId} events=${lastSeq} files=${files} pr=${pullRequest.url}`);
}

/** One session with one turn. Throws when the turn does not complete. */
async function fixTheTest(client: RelayClient, repository: string): Promise<{ sessionId: string; files: number }> {
  const { providers } = await client.call('relay.info', {});
  const isolated = providers.some(provider => provider.isolation !== 'none');
  if (!isolated) {
    say(style.yellow('This machine cannot isolate the agent. The demo goes on without, in its own scratch folder.'));
  }
  say(`${style.bold('Prompt:')} ${DEMO_PROMPT}`);
  const { sessionId } = await client.call('session.create', {
    source: repository,
    prompt: DEMO_PROMPT,
    permissionMode: isolated ? 'autopilot' : 'ask',
    acceptNoIsolation: !isolated,
  });
  cleanups.push(() => client.call('session.archive', { sessionId, archived: true }));
  const state = await watch(client, sessionId);
  const turn = state.turns[0];
  if (turn?.agent?.outcome !== 'completed') {
    const failure = turn?.agent?.failure ?? (state.phase.kind === 'blocked' ? state.phase.failure : undefined);
    throw new Error(failure ? `${failure.message} ${failure.hint ?? ''}` : 'The turn did not complete.');
  }
  return { sessionId, files: state.stats.files };
}

/** Starts a relay of its own, as `npm start` does. */
async function startRelay(folder: string, env: Record<string, string>): Promise<RelayClient> {
  const dataFolder = join(folder, 'data');
  const relay = spawn(process.execPath, [join(ROOT, 'server/src/main.ts'), 'serve'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, SANDPIPER_DATA: dataFolder, SANDPIPER_LOG: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C goes to the whole group of a terminal; the relay is still needed then, to end the agent.
    detached: process.platform !== 'win32',
  });
  const ended = new Promise<void>(resolve => relay.once('exit', () => resolve()));
  cleanups.push(async () => {
    relay.kill('SIGTERM');
    await ended;
  });
  await Promise.race([new Promise(resolve => relay.stdout.once('data', resolve)), ended]);
  const client = createRelayClient({
    client: { name: 'demo', version: '0' },
    connect: async () => {
      const address = await findRelay(dataFolder);
      if (!address) {
        throw new Error('The relay did not start.');
      }
      return createWsSocket(address.url, address.token);
    },
  });
  client.connect();
  cleanups.push(() => client.dispose());
  return client;
}

/** Prints the session until its first turn is done. Without isolation every tool asks, and the demo says yes. */
function watch(client: RelayClient, sessionId: string): Promise<SessionState> {
  const answered = new Set<string>();
  return new Promise((resolve, reject) => {
    const following = client.follow(sessionId, (mirror, change) => {
      if (change.kind === 'failed') {
        reject(change.error);
        return;
      }
      for (const event of change.kind === 'events' ? change.events : []) {
        const text = renderEvent(event.body, style);
        if (text) {
          console.log(text);
        }
      }
      const { state } = mirror;
      for (const approval of state?.approvals ?? []) {
        if (!answered.has(approval.id)) {
          answered.add(approval.id);
          say(`The demo allows: ${plain(approval.title)}`);
          client
            .call('session.answer', { sessionId, approvalId: approval.id, decision: { kind: 'allow' } })
            .catch(reject);
        }
      }
      if (state && (state.turns[0]?.checkpoint || state.phase.kind === 'blocked')) {
        setImmediate(() => following.dispose());
        resolve(state);
      }
    });
  });
}

async function stayUp(folder: string, repository: string): Promise<void> {
  const address = await findRelay(join(folder, 'data'));
  if (!address) {
    throw new Error('The relay has gone.');
  }
  const response = await fetch(`${address.url}/v1/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${address.token}` },
  });
  const body: unknown = await response.json();
  const ticket = typeof body === 'object' && body !== null && 'ticket' in body ? String(body.ticket) : '';
  say(`Web page (the link works once, for a minute): ${address.url}/#ticket=${ticket}`);
  if (options.editor) {
    const { openDemoEditor } = await import('./demo/editor.ts');
    const editor = await openDemoEditor({ repository, dataFolder: join(folder, 'data'), say });
    cleanups.push(() => editor.close());
  }
  say('Press Ctrl-C to end.');
  await new Promise<void>(resolve => process.once('SIGINT', () => resolve()));
}

function say(text: string): void {
  console.log(`${style.dim('demo:')} ${text}`);
}

function colouredDiff(diff: string): string {
  return plain(diff)
    .split('\n')
    .map(line => (line.startsWith('+') ? style.green(line) : line.startsWith('-') ? style.red(line) : line))
    .join('\n');
}

function runProgram(program: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', code =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')} ended with ${code}`)),
    );
  });
}
