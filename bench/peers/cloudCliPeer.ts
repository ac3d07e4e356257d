import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { preciseNow } from '../../test/support/modelReply.ts';
import { CLAUDE } from '../../test/support/relayProcess.ts';
import { Marks } from '../support/marks.ts';
import { at, callJson, parsed, textAt } from './json.ts';
import type { Peer, RunningPeer, Stage } from './peer.ts';
import { answers, freePort, peerEnv, PeerProcess, until } from './peerProcess.ts';
import { TurnTimer } from '../support/turnTimer.ts';

const VERSION = '1.37.3';
/** Its own better-sqlite3 has no binary for this Node and is not to be compiled. */
const OVERRIDES = { 'better-sqlite3': '13.2.0' };
const ACCOUNT = { username: 'bench', password: 'benchbench1' };

/** CloudCLI, formerly claudecodeui: a web server whose page shows Claude Code. A process of Claude Code a turn. */
export const cloudCliPeer: Peer = {
  name: 'CloudCLI',
  version: VERSION,
  async start(stage, { ask }) {
    const installed = await stage.install([`@cloudcli-ai/cloudcli@${VERSION}`], OVERRIDES);
    await mkdir(join(stage.folder, 'home'), { recursive: true });
    const running = new CloudCli(stage, installed, await freePort(), ask);
    stage.defer(() => running.end());
    await running.open();
    return running;
  },
};

class CloudCli implements RunningPeer {
  readonly marks = new Marks();
  readonly #stage: Stage;
  readonly #installed: string;
  readonly #port: number;
  readonly #ask: boolean;
  #server: PeerProcess | undefined;
  #socket: WebSocket | undefined;
  #token = '';
  #session = '';
  #seq = 0;
  readonly #timer = new TurnTimer();
  #request: string | undefined;

  constructor(stage: Stage, installed: string, port: number, ask: boolean) {
    this.#stage = stage;
    this.#installed = installed;
    this.#port = port;
    this.#ask = ask;
  }

  get pids(): number[] {
    return this.#server ? [this.#server.pid] : [];
  }

  async open(): Promise<void> {
    await this.#serve();
    const status = await callJson(`${this.#base}/api/auth/status`);
    const way = at(status, 'needsSetup') === true ? 'register' : 'login';
    this.#token = textAt(await callJson(`${this.#base}/api/auth/${way}`, { body: ACCOUNT }), 'token');
    const body = { provider: 'claude', projectPath: this.#stage.workspace, initialMessage: 'x' };
    const made = await callJson(`${this.#base}/api/providers/sessions`, { body, token: this.#token });
    const ids = [at(made, 'data', 'sessionId'), at(made, 'data', 'session', 'sessionId'), at(made, 'data', 'id')];
    this.#session = textAt(ids.find(id => typeof id === 'string'));
    await this.#connect();
    await this.turn('SCN:deltas:1:0:first');
  }

  turn(text: string): Promise<{ startedAt: number; ms: number }> {
    return this.#timer.time(() => this.begin(text));
  }

  async begin(text: string): Promise<void> {
    const tools = { allowedTools: this.#ask ? [] : ['Bash'], disallowedTools: [], skipPermissions: false };
    const options = { permissionMode: 'default', toolsSettings: tools };
    this.#send({ type: 'chat.send', sessionId: this.#session, content: text, options });
  }

  async drop(ms: number): Promise<void> {
    this.#socket?.terminate();
    await sleep(ms);
    await this.#connect();
    this.#send({ type: 'chat.subscribe', sessions: [{ sessionId: this.#session, lastSeq: this.#seq }] });
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
    await this.#serve();
    await this.#connect();
    this.#send({ type: 'chat.subscribe', sessions: [{ sessionId: this.#session, lastSeq: this.#seq }] });
    await this.reload();
  }

  async reload(): Promise<void> {
    const history = `${this.#base}/api/providers/sessions/${this.#session}/messages`;
    this.marks.look(JSON.stringify(await callJson(history, { token: this.#token })), preciseNow());
  }

  async asked(): Promise<void> {
    await until('a permission is asked for', () => this.#request !== undefined);
  }

  async approve(): Promise<void> {
    this.#send({ type: 'chat.permission-response', requestId: this.#request, allow: true });
  }

  async end(): Promise<void> {
    this.#socket?.terminate();
    await this.#server?.end();
  }

  get #base(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async #serve(): Promise<void> {
    const main = join(this.#installed, 'node_modules/@cloudcli-ai/cloudcli/dist-server/server/index.js');
    const server = new PeerProcess([process.execPath, main], {
      cwd: this.#stage.folder,
      env: peerEnv(join(this.#stage.folder, 'home'), this.#stage.modelUrl, {
        SERVER_PORT: String(this.#port),
        HOST: '127.0.0.1',
        CLAUDE_CLI_PATH: CLAUDE,
        NODE_ENV: 'production',
      }),
    });
    this.#server = server;
    await server.until('CloudCLI listens', () => {
      if (!server.running) {
        throw new Error('It ended.');
      }
      return answers(`${this.#base}/health`);
    });
  }

  async #connect(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/ws?token=${this.#token}`);
    socket.on('error', () => {});
    socket.on('message', data => this.#take(Buffer.isBuffer(data) ? data.toString() : '', preciseNow()));
    await once(socket, 'open');
    this.#socket = socket;
  }

  #send(message: unknown): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #take(text: string, now: number): void {
    const message = parsed(text);
    const kind = at(message, 'kind');
    this.#seq = Math.max(this.#seq, Number(at(message, 'seq')) || 0);
    if (kind !== 'user' && at(message, 'role') !== 'user') {
      this.marks.look(text, now);
    }
    if (kind === 'permission_request' || kind === 'permission-request') {
      this.#request = textAt(message, 'requestId');
      if (!this.#ask) {
        void this.approve();
      }
    } else if (kind === 'complete') {
      this.#timer.end(now);
    } else if (kind === 'error' || kind === 'protocol_error') {
      this.#timer.fail(new Error(text.slice(0, 300)));
    }
  }
}
