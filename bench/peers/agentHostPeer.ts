import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import { findSqliteBinary } from '../../scripts/setup/sqlite.ts';
import { vscodeServerFolder } from '../../scripts/setup/vscodeServer.ts';
import { preciseNow } from '../../test/support/modelReply.ts';
import { Marks } from '../support/marks.ts';
import { at, parsed, textAt } from './json.ts';
import { NotPossible, type Peer, type RunningPeer, type Stage } from './peer.ts';
import { findBelow, freePort, peerEnv, PeerProcess, until } from './peerProcess.ts';
import { TurnTimer } from '../support/turnTimer.ts';

const SDK = '@anthropic-ai/claude-agent-sdk@0.3.316';
const CALL_TIMEOUT_MS = 60_000;
/** The protocol of this version of VS Code. */
const PROTOCOL = '0.9.0';
const ROOT = 'ahp-root://';

/** The Agent Host of the VS Code that the tests use, over its own protocol, with the SDK's own Claude Code. */
export const agentHostPeer: Peer = {
  name: 'VS Code Agent Host',
  version: 'bundled, claude-agent-sdk 0.3.316',
  async start(stage, { ask }) {
    const sdk = await stage.install([SDK]);
    const home = join(stage.folder, 'home');
    await mkdir(join(home, '.claude'), { recursive: true });
    const [port, hostPort] = [await freePort(), await freePort()];
    const argv: [string, ...string[]] = [process.execPath, join(vscodeServerFolder, 'out/server-main.js')];
    argv.push('--host', '127.0.0.1', '--port', String(port), '--agent-host-port', String(hostPort));
    argv.push('--without-connection-token', '--accept-server-license-terms', '--telemetry-level', 'off');
    argv.push('--server-data-dir', join(stage.folder, 'data'));
    const env = peerEnv(home, stage.modelUrl, {
      VSCODE_AGENT_HOST_CLAUDE_AGENT_ENABLED: 'true',
      VSCODE_AGENT_HOST_CLAUDE_SDK_ROOT: sdk,
    });
    await giveItSqlite();
    const server = new PeerProcess(argv, { cwd: stage.folder, env });
    stage.defer(() => server.end());
    await server.until('the Agent Host listens', () => /Agent host server listening/.test(server.output));
    const running = new AgentHost(stage, server, hostPort, ask);
    await running.open();
    return running;
  },
};

/**
 * The server from npm comes without the binary of its fork of the sqlite3 package, which its Agent Host needs; that of the
 * package itself has the same interface. It is put into the cache, beside what setup unpacked there.
 */
async function giveItSqlite(): Promise<void> {
  const binary = findSqliteBinary();
  if (binary === undefined) {
    throw new NotPossible('the sqlite3 package has no binary; run `npm run setup`');
  }
  const folder = join(vscodeServerFolder, 'node_modules/@vscode/sqlite3/build/Release');
  await mkdir(folder, { recursive: true });
  await copyFile(binary, join(folder, 'vscode-sqlite3.node'));
}

class AgentHost implements RunningPeer {
  readonly marks = new Marks();
  readonly #stage: Stage;
  readonly #server: PeerProcess;
  readonly #port: number;
  readonly #ask: boolean;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #clientId = `bench-${randomUUID()}`;
  #socket: WebSocket | undefined;
  #calls = 0;
  #dispatched = 0;
  #serverSeq = 0;
  #session = '';
  #chat = '';
  readonly #timer = new TurnTimer();
  #pending: { channel: unknown; turnId: unknown; toolCallId: unknown } | undefined;

  constructor(stage: Stage, server: PeerProcess, port: number, ask: boolean) {
    this.#stage = stage;
    this.#server = server;
    this.#port = port;
    this.#ask = ask;
  }

  get pids(): number[] {
    return [this.#server.pid];
  }

  async open(): Promise<void> {
    await this.#connect();
    await this.#initialize();
    this.#session = `ahp-session:/${randomUUID()}`;
    let made: unknown;
    // Its provider takes a while to be there.
    await until('a session can be made', async () => {
      made = await this.#call('createSession', {
        channel: this.#session,
        provider: 'claude',
        workingDirectories: [pathToFileURL(this.#stage.workspace).href],
        config: {},
      });
      return at(made, 'error') === undefined || (await sleep(500, false));
    }).catch(() => {
      throw new Error(`It makes no session: ${JSON.stringify(made)?.slice(0, 300)}`);
    });
    const subscribed = await this.#call('subscribe', { channel: this.#session });
    this.#chat = textAt(subscribed, 'result', 'snapshot', 'state', 'defaultChat');
    await this.#call('subscribe', { channel: this.#chat });
    await this.turn('SCN:deltas:1:0:first');
  }

  turn(text: string): Promise<{ startedAt: number; ms: number }> {
    return this.#timer.time(() => this.begin(text));
  }

  async begin(text: string): Promise<void> {
    const message = { text, origin: { kind: 'user' } };
    const turnId = randomUUID();
    this.#dispatch(this.#chat, { type: 'chat/turnStarted', turnId, startedAt: new Date().toISOString(), message });
  }

  async drop(ms: number): Promise<void> {
    this.#socket?.terminate();
    await sleep(ms);
    await this.#connect();
    const answer = await this.#call('reconnect', {
      channel: ROOT,
      clientId: this.#clientId,
      lastSeenServerSeq: this.#serverSeq,
      subscriptions: [ROOT, this.#session, this.#chat],
    });
    this.marks.look(JSON.stringify(answer), preciseNow());
  }

  async kill(): Promise<void> {
    const [host] = await findBelow(this.#server.pid, /type=agentHost|agentHostMain|agent-?host.*bootstrap-fork/i);
    if (host === undefined) {
      throw new Error('The process of the Agent Host was not found.');
    }
    process.kill(host, 'SIGKILL');
    this.#socket?.terminate();
    await until('the Agent Host listens again', () =>
      this.#connect().then(
        () => true,
        () => sleep(50, false),
      ),
    );
    this.#clientId = `bench-${randomUUID()}`;
    await this.#initialize();
    await until('its chat is there again', async () => {
      await this.#call('subscribe', { channel: this.#session });
      return (await this.reload()) || (await sleep(200, false));
    });
  }

  /** @returns whether the chat is there */
  async reload(): Promise<boolean> {
    const answer = await this.#call('subscribe', { channel: this.#chat });
    this.marks.look(JSON.stringify(answer), preciseNow());
    return at(answer, 'result') !== undefined;
  }

  async asked(): Promise<void> {
    await until('a permission is asked for', () => this.#pending !== undefined);
  }

  async approve(): Promise<void> {
    const { channel, turnId, toolCallId } = this.#pending ?? {};
    this.#confirm(channel, turnId, toolCallId);
  }

  async #connect(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}`);
    socket.on('error', () => {});
    socket.on('message', data => this.#take(Buffer.isBuffer(data) ? data.toString() : '', preciseNow()));
    await once(socket, 'open');
    this.#socket = socket;
  }

  async #initialize(): Promise<void> {
    const clientInfo = { name: 'bench', version: '1' };
    const client = { clientId: this.#clientId, clientInfo, protocolVersions: [PROTOCOL], initialSubscriptions: [] };
    await this.#call('initialize', { channel: ROOT, ...client });
    this.#dispatch(ROOT, { type: 'root/configChanged', config: { allowSignedOutWhenUsable: true } });
  }

  #call(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#calls;
    this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const answered = new Promise(resolve => this.#waiting.set(id, resolve));
    return Promise.race([answered, sleep(CALL_TIMEOUT_MS, { error: 'no answer' }, { ref: false })]);
  }

  #dispatch(channel: unknown, action: unknown): void {
    const params = { channel, clientSeq: ++this.#dispatched, action };
    this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', method: 'dispatchAction', params }));
  }

  #confirm(channel: unknown, turnId: unknown, toolCallId: unknown): void {
    const confirmed = { approved: true, confirmed: 'user-action' };
    this.#dispatch(channel, { type: 'chat/toolCallConfirmed', turnId, toolCallId, ...confirmed });
  }

  #take(text: string, now: number): void {
    const message = parsed(text);
    const id = at(message, 'id');
    if (typeof id === 'number') {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
    } else if (at(message, 'method') === 'action') {
      const action = at(message, 'params', 'action');
      this.#serverSeq = Math.max(this.#serverSeq, Number(at(message, 'params', 'serverSeq')) || 0);
      this.#act(at(message, 'params', 'channel'), action, text, now);
    }
  }

  #act(channel: unknown, action: unknown, text: string, now: number): void {
    const type = at(action, 'type');
    if (type === 'chat/delta' || type === 'chat/responsePart') {
      this.marks.look(text, now);
    } else if (type === 'chat/toolCallReady' && at(action, 'confirmed') === undefined) {
      const [turnId, toolCallId] = [at(action, 'turnId'), at(action, 'toolCallId')];
      if (this.#ask) {
        this.#pending = { channel, turnId, toolCallId };
      } else {
        this.#confirm(channel, turnId, toolCallId);
      }
    } else if (type === 'chat/turnComplete') {
      this.#timer.end(now);
    } else if (type === 'chat/error') {
      this.#timer.fail(new Error(text.slice(0, 300)));
    }
  }
}
