import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { preciseNow } from '../../test/support/modelReply.ts';
import { CLAUDE } from '../../test/support/relayProcess.ts';
import { Marks } from '../support/marks.ts';
import { at, callJson, textAt } from './json.ts';
import { NotPossible, type Peer, type RunningPeer, type Stage } from './peer.ts';
import { answers, freePort, peerEnv, PeerProcess, until } from './peerProcess.ts';
import { ServerEvents } from './serverEvents.ts';

const VERSION = '0.30.7';
const TOKEN = 'bench-token-of-twenty-chars';
const TURN_TIMEOUT_MS = 120_000;

/** HAPI: a hub with the page, a runner on the machine, and a wrapper around Claude Code. The hub is what is killed. */
export const hapiPeer: Peer = {
  name: 'HAPI (hub killed)',
  version: VERSION,
  async start(stage, { ask }) {
    if (ask) {
      throw new NotPossible('not driven here');
    }
    const installed = await stage.install([`@twsxtd/hapi@${VERSION}`]);
    await mkdir(join(stage.folder, 'home'), { recursive: true });
    const running = new Hapi(stage, join(installed, 'node_modules/@twsxtd/hapi-linux-x64/bin/hapi'), await freePort());
    stage.defer(() => running.end());
    await running.open();
    return running;
  },
};

class Hapi implements RunningPeer {
  readonly marks = new Marks();
  readonly #stage: Stage;
  readonly #program: string;
  readonly #port: number;
  #hub: PeerProcess | undefined;
  #runner: PeerProcess | undefined;
  #events: ServerEvents | undefined;
  #lastId: string | undefined;
  #token = '';
  #session = '';

  constructor(stage: Stage, program: string, port: number) {
    this.#stage = stage;
    this.#program = program;
    this.#port = port;
  }

  get pids(): number[] {
    return [this.#hub, this.#runner].flatMap(process => (process ? [process.pid] : []));
  }

  async open(): Promise<void> {
    await this.#serve();
    this.#runner = this.#spawn(['runner', 'start-sync']);
    let machine: unknown;
    await until('its runner is there', async () => {
      const { machines } = { machines: at(await this.#call('GET', '/api/machines'), 'machines') };
      machine = Array.isArray(machines) ? machines.find(one => at(one, 'active') === true) : undefined;
      return machine !== undefined || (await sleep(200, false));
    });
    const spawned = await this.#call('POST', `/api/machines/${textAt(machine, 'id')}/spawn`, {
      directory: this.#stage.workspace,
      agent: 'claude',
      yolo: false,
      permissionMode: 'default',
      startingMode: 'remote',
    });
    this.#session = textAt(spawned, 'sessionId');
    await this.#follow();
    await this.turn('SCN:deltas:1:0:first');
  }

  /** It is over when its last mark is shown: no event of its own says so. */
  async turn(text: string): Promise<{ startedAt: number; ms: number }> {
    const [, kind, count = '0', run = ''] = /SCN:(\w+):(\d+):\d+:(\w+)/.exec(text) ?? [];
    const last = `${run}.${kind === 'tools' ? count : Number(count) - 1}`;
    const startedAt = preciseNow();
    await this.begin(text);
    await until(`${last} is shown`, () => this.marks.seenAt(last) !== undefined, TURN_TIMEOUT_MS);
    const seenAt = this.marks.seenAt(last) ?? Number.NaN;
    // What comes after the text belongs to the turn, and must be over before the next.
    await sleep(500);
    return { startedAt, ms: seenAt - startedAt };
  }

  async begin(text: string): Promise<void> {
    await this.#call('POST', `/api/sessions/${this.#session}/messages`, { text, localId: randomUUID() });
  }

  async drop(ms: number): Promise<void> {
    this.#events?.close();
    await sleep(ms);
    await this.#follow();
  }

  async kill(): Promise<void> {
    await this.#hub?.kill();
    await this.#serve();
    await this.#follow();
    await this.reload();
  }

  async reload(): Promise<void> {
    const history = await this.#call('GET', `/api/sessions/${this.#session}/messages?limit=200`);
    this.marks.look(JSON.stringify(history), preciseNow());
  }

  async end(): Promise<void> {
    this.#events?.close();
    await this.#runner?.end();
    await this.#hub?.end();
  }

  get #base(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  #call(method: string, path: string, body?: unknown): Promise<unknown> {
    return callJson(`${this.#base}${path}`, { method, token: this.#token, ...(body === undefined ? {} : { body }) });
  }

  #spawn(argv: readonly string[]): PeerProcess {
    const home = join(this.#stage.folder, 'home');
    return new PeerProcess([this.#program, ...argv], {
      cwd: this.#stage.workspace,
      env: peerEnv(home, this.#stage.modelUrl, {
        HAPI_HOME: join(home, '.hapi'),
        CLI_API_TOKEN: TOKEN,
        HAPI_LISTEN_HOST: '127.0.0.1',
        HAPI_LISTEN_PORT: String(this.#port),
        HAPI_API_URL: this.#base,
        HAPI_CLAUDE_PATH: CLAUDE,
        TELEGRAM_NOTIFICATION: 'false',
      }),
    });
  }

  async #serve(): Promise<void> {
    const hub = this.#spawn(['hub']);
    this.#hub = hub;
    await hub.until('the hub listens', () => answers(`${this.#base}/health`));
    this.#token = textAt(await callJson(`${this.#base}/api/auth`, { body: { accessToken: TOKEN } }), 'token');
  }

  async #follow(): Promise<void> {
    const resume = this.#lastId === undefined ? {} : { 'last-event-id': this.#lastId };
    const headers = { authorization: `Bearer ${this.#token}`, ...resume };
    const url = `${this.#base}/api/events?all=true&visibility=visible`;
    this.#events = await ServerEvents.open(url, headers, (data, id) => {
      this.#lastId = id ?? this.#lastId;
      if (!data.includes('"role":"user"')) {
        this.marks.look(data, preciseNow());
      }
    });
  }
}
