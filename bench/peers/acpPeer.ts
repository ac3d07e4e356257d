import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { preciseNow } from '../../test/support/modelReply.ts';
import { CLAUDE } from '../../test/support/relayProcess.ts';
import { Marks } from '../support/marks.ts';
import { at, parsed, textAt } from './json.ts';
import { NotPossible, type Peer, type RunningPeer, type Stage } from './peer.ts';
import { peerEnv, PeerProcess } from './peerProcess.ts';

const VERSION = '0.100.0';

/** What Zed and other editors run: an adapter on stdio around the Claude Agent SDK. It has no server to reconnect to. */
export const acpPeer: Peer = {
  name: 'ACP adapter (claude-agent-acp)',
  version: VERSION,
  async start(stage, { ask }) {
    if (ask) {
      throw new NotPossible('a child of the editor; it has no way back to a question after a kill');
    }
    const installed = await stage.install([`@agentclientprotocol/claude-agent-acp@${VERSION}`]);
    const home = join(stage.folder, 'home');
    await mkdir(home, { recursive: true });
    const running = new AcpAdapter(stage, installed, home);
    await running.open();
    await running.turn('SCN:deltas:1:0:first');
    stage.defer(() => running.end());
    return running;
  },
};

class AcpAdapter implements RunningPeer {
  readonly marks = new Marks();
  readonly #stage: Stage;
  readonly #argv: [string, string];
  readonly #env: Record<string, string>;
  #process: PeerProcess;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #calls = 0;
  #session = '';

  constructor(stage: Stage, installed: string, home: string) {
    this.#stage = stage;
    this.#argv = [
      process.execPath,
      join(installed, 'node_modules/@agentclientprotocol/claude-agent-acp/dist/index.js'),
    ];
    this.#env = peerEnv(home, stage.modelUrl, { CLAUDE_CODE_EXECUTABLE: CLAUDE });
    this.#process = this.#spawn();
  }

  get pids(): number[] {
    return [this.#process.pid];
  }

  async open(): Promise<void> {
    await this.#initialize();
    const made = await this.#call('session/new', { cwd: this.#stage.workspace, mcpServers: [] });
    this.#session = textAt(made, 'result', 'sessionId');
  }

  async turn(text: string): Promise<{ startedAt: number; ms: number }> {
    const startedAt = preciseNow();
    const answer = await this.#prompt(text);
    if (at(answer, 'error') !== undefined) {
      throw new Error(JSON.stringify(answer).slice(0, 300));
    }
    return { startedAt, ms: preciseNow() - startedAt };
  }

  async begin(text: string): Promise<void> {
    void this.#prompt(text);
  }

  async kill(): Promise<void> {
    await this.#process.kill();
    this.#process = this.#spawn();
    await this.#initialize();
    await this.reload();
  }

  async reload(): Promise<void> {
    await this.#call('session/load', { sessionId: this.#session, cwd: this.#stage.workspace, mcpServers: [] });
  }

  end(): Promise<void> {
    return this.#process.end();
  }

  #spawn(): PeerProcess {
    const started = new PeerProcess(this.#argv, { cwd: this.#stage.folder, env: this.#env });
    createInterface({ input: started.child.stdout }).on('line', line => this.#take(line, preciseNow()));
    return started;
  }

  #initialize(): Promise<unknown> {
    const files = { readTextFile: false, writeTextFile: false };
    return this.#call('initialize', { protocolVersion: 1, clientCapabilities: { fs: files } });
  }

  #prompt(text: string): Promise<unknown> {
    return this.#call('session/prompt', { sessionId: this.#session, prompt: [{ type: 'text', text }] });
  }

  #call(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#calls;
    return new Promise(resolve => {
      this.#waiting.set(id, resolve);
      this.#write({ jsonrpc: '2.0', id, method, params });
    });
  }

  #write(message: unknown): void {
    this.#process.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #take(line: string, now: number): void {
    const message = parsed(line);
    const id = at(message, 'id');
    const method = at(message, 'method');
    if (method === 'session/update') {
      this.marks.look(line, now);
    } else if (method === 'session/request_permission') {
      const options = at(message, 'params', 'options');
      const allow = Array.isArray(options)
        ? options.find(option => /allow/.test(String(at(option, 'kind'))))
        : undefined;
      const outcome = { outcome: 'selected', optionId: at(allow, 'optionId') };
      this.#write({ jsonrpc: '2.0', id, result: { outcome } });
    } else if (method !== undefined && id !== undefined) {
      this.#write({ jsonrpc: '2.0', id, error: { code: -32601, message: 'No such method.' } });
    } else if (typeof id === 'number') {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
    }
  }
}
