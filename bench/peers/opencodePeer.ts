import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from '../../test/support/modelReply.ts';
import { Marks } from '../support/marks.ts';
import { at, callJson, parsed, textAt } from './json.ts';
import { NotPossible, type Peer, type RunningPeer, type Stage } from './peer.ts';
import { answers, freePort, PeerProcess } from './peerProcess.ts';
import { ServerEvents } from './serverEvents.ts';
import { TurnTimer } from '../support/turnTimer.ts';

const VERSION = '1.18.33';
const MODEL = { providerID: 'scripted', modelID: 'claude-scripted' };

/** opencode's server with its own agent, which is not Claude Code, over its stream of events. */
export const opencodePeer: Peer = {
  name: 'opencode (its own agent)',
  version: VERSION,
  async start(stage, { ask }) {
    if (ask) {
      throw new NotPossible('its agent dies with its server, and the question with it');
    }
    const installed = await stage.install([`opencode-ai@${VERSION}`]);
    await mkdir(join(stage.folder, 'home'), { recursive: true });
    await writeFile(join(stage.workspace, 'opencode.json'), JSON.stringify(configuration(stage.modelUrl)));
    const running = new Opencode(stage, installed, await freePort());
    stage.defer(() => running.end());
    await running.open();
    return running;
  },
};

function configuration(modelUrl: string): unknown {
  const model = `${MODEL.providerID}/${MODEL.modelID}`;
  const limit = { context: 200_000, output: 8000 };
  return {
    autoupdate: false,
    share: 'disabled',
    model,
    small_model: model,
    permission: { bash: 'allow', edit: 'allow' },
    provider: {
      [MODEL.providerID]: {
        npm: '@ai-sdk/anthropic',
        name: 'scripted',
        options: { baseURL: `${modelUrl}/v1`, apiKey: 'sk-ant-bench' },
        models: { [MODEL.modelID]: { name: 'scripted', limit, tool_call: true } },
      },
    },
  };
}

class Opencode implements RunningPeer {
  readonly marks = new Marks();
  readonly #stage: Stage;
  readonly #installed: string;
  readonly #port: number;
  #server: PeerProcess | undefined;
  #events: ServerEvents | undefined;
  #session = '';
  readonly #timer = new TurnTimer();

  constructor(stage: Stage, installed: string, port: number) {
    this.#stage = stage;
    this.#installed = installed;
    this.#port = port;
  }

  get pids(): number[] {
    return this.#server ? [this.#server.pid] : [];
  }

  async open(): Promise<void> {
    await this.#serve();
    this.#session = textAt(await callJson(`${this.#base}/session`, { body: { title: 't' } }), 'id');
    await this.#follow();
    await this.turn('SCN:deltas:1:0:first');
  }

  turn(text: string): Promise<{ startedAt: number; ms: number }> {
    return this.#timer.time(() => this.begin(text));
  }

  async begin(text: string): Promise<void> {
    const body = { parts: [{ type: 'text', text }], model: MODEL };
    await callJson(`${this.#base}/session/${this.#session}/prompt_async`, { body });
  }

  /** Its events carry no number to go on from; the history has what is finished. */
  async drop(ms: number): Promise<void> {
    this.#events?.close();
    await sleep(ms);
    await this.#follow();
    await this.reload();
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
    await this.#serve();
    await this.#follow();
    await this.reload();
  }

  async end(): Promise<void> {
    this.#events?.close();
    await this.#server?.end();
  }

  get #base(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async reload(): Promise<void> {
    const history = await callJson(`${this.#base}/session/${this.#session}/message`);
    this.marks.look(JSON.stringify(history), preciseNow());
  }

  async #serve(): Promise<void> {
    const program = join(this.#installed, 'node_modules/opencode-linux-x64/bin/opencode');
    const server = new PeerProcess([program, 'serve', '--port', String(this.#port), '--hostname', '127.0.0.1'], {
      cwd: this.#stage.workspace,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: join(this.#stage.folder, 'home'),
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      },
    });
    this.#server = server;
    await server.until('opencode listens', () => answers(`${this.#base}/global/health`));
  }

  async #follow(): Promise<void> {
    this.#events = await ServerEvents.open(`${this.#base}/event`, {}, data => this.#take(data, preciseNow()));
  }

  #take(data: string, now: number): void {
    if (!data.includes('"role":"user"')) {
      this.marks.look(data, now);
    }
    const event = parsed(data);
    if (at(event, 'type') === 'session.idle' && at(event, 'properties', 'sessionID') === this.#session) {
      this.#timer.end(now);
    }
  }
}
