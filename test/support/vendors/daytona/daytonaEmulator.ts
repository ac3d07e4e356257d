import type { IncomingMessage, ServerResponse } from 'node:http';
import { forward } from '../forward.ts';
import { bodyOf, fieldsOf, sendJson } from '../inside/httpParts.ts';
import { openApiCheck } from '../openApiCheck.ts';
import { VendorEmulator } from '../vendorEmulator.ts';
import { createSchema, DaytonaMachine } from './daytonaMachine.ts';

/*
 * Daytona played on loopback for its real SDK: the API here, the toolbox inside each sandbox, which is a box of real
 * processes. The API names the toolbox's address itself.
 */

export const DAYTONA_TEST_KEY = 'dtn_test';

export class DaytonaEmulator extends VendorEmulator {
  readonly machines = new Map<string, DaytonaMachine>();
  readonly snapshots = new Set(['base']);
  /** Files are sent whole whatever range is asked for, as the vendor does not promise ranges. */
  ignoresRange = false;
  /** How long a sandbox is in state `creating`. */
  slowStart: Promise<void> = Promise.resolve();
  readonly #checkApi = openApiCheck('daytona/api.json');
  readonly #checkToolbox = openApiCheck('daytona/toolbox.json');

  static async start(): Promise<DaytonaEmulator> {
    const emulator = new DaytonaEmulator(DAYTONA_TEST_KEY);
    await emulator.listen('daytona');
    return emulator;
  }

  override get env(): Record<string, string> {
    return {
      SANDPIPER_DAYTONA_API_KEY: this.apiKey,
      SANDPIPER_DAYTONA_API_URL: `${this.url}/api`,
      SANDPIPER_DAYTONA_SNAPSHOT: 'base',
    };
  }

  protected override async endMachines(): Promise<void> {
    await Promise.all([...this.machines.values()].map(async machine => machine.destroy()));
  }

  protected override errorBody(status: number): unknown {
    return apiError(status, 'a fault');
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.headers.authorization !== `Bearer ${this.apiKey}`) {
      request.resume();
      sendJson(response, 401, apiError(401, 'Invalid credentials'));
    } else if (url.pathname.startsWith('/toolbox/')) {
      await this.#toolbox(request, response, url);
    } else {
      await this.#api(request, response, url);
    }
  }

  async #api(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const body = await bodyOf(request);
    const input: unknown = body.length === 0 ? undefined : JSON.parse(body.toString());
    const path = url.pathname.replace(/^\/api/, '');
    const method = request.method ?? '';
    const { status, answer } = await this.#answer(method, path, url, input);
    this.violations.push(...this.#checkApi({ method, path, request: input, status, answer }));
    sendJson(response, status, answer);
  }

  async #answer(method: string, path: string, url: URL, input: unknown): Promise<{ status: number; answer: unknown }> {
    if (path === '/sandbox') {
      return method === 'POST' ? this.#create(input) : { status: 200, answer: this.#list(url) };
    }
    const [, id = '', action = ''] = /^\/sandbox\/([^/]+)(?:\/([a-z-]+))?$/.exec(path) ?? [];
    const machine = this.#find(decodeURIComponent(id));
    if (!machine) {
      return { status: 404, answer: apiError(404, `Sandbox with ID or name ${id} not found`) };
    }
    switch (`${method} ${action}`) {
      case 'GET ':
        break;
      case 'DELETE ':
        await machine.destroy();
        break;
      case 'POST start':
        if (machine.state !== 'stopped') {
          return { status: 400, answer: apiError(400, 'Sandbox is not in valid state') };
        }
        machine.state = 'starting';
        await machine.start();
        break;
      case 'POST stop':
        await machine.stop();
        break;
      default:
        this.violations.push(`Daytona is not played so far: ${method} ${path}`);
        return { status: 404, answer: apiError(404, `Cannot ${method} ${path}`) };
    }
    return { status: 200, answer: machine.dto() };
  }

  #create(input: unknown): { status: number; answer: unknown } {
    const { data: asked, error } = createSchema.safeParse(input);
    if (!asked) {
      this.violations.push(`the request POST /sandbox: ${error.message}`);
      return { status: 400, answer: apiError(400, error.message) };
    }
    if (asked.name !== undefined && this.#find(asked.name)) {
      return { status: 409, answer: apiError(409, `Sandbox with name ${asked.name} already exists`) };
    }
    if (asked.snapshot !== undefined && !this.snapshots.has(asked.snapshot)) {
      return { status: 404, answer: apiError(404, `Snapshot ${asked.snapshot} not found`) };
    }
    if (this.machines.size >= this.quota) {
      return { status: 403, answer: apiError(403, 'Total CPU limit exceeded. Maximum allowed: 10.') };
    }
    const machine: DaytonaMachine = new DaytonaMachine(this.folder, asked, `${this.url}/toolbox`, () =>
      this.machines.delete(machine.id),
    );
    this.machines.set(machine.id, machine);
    void this.slowStart
      .then(async () => machine.start())
      .catch(() => {
        machine.state = 'error';
      });
    return { status: 200, answer: machine.dto() };
  }

  #list(url: URL): unknown {
    const labels = Object.entries(fieldsOf(JSON.parse(url.searchParams.get('labels') ?? '{}')));
    const found = [...this.machines.values()].filter(machine =>
      labels.every(([name, value]) => machine.labels[name] === value),
    );
    const first = Number(url.searchParams.get('cursor') ?? 0);
    const next = first + this.pageSize;
    return {
      items: found.slice(first, next).map(machine => machine.dto()),
      nextCursor: next < found.length ? String(next) : null,
    };
  }

  async #toolbox(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const [, id = '', rest = ''] = /^\/toolbox\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    const machine = this.machines.get(id);
    if (machine?.state !== 'started') {
      request.resume();
      const status = machine ? 400 : 404;
      sendJson(response, status, apiError(status, machine ? 'sandbox is not running' : 'sandbox not found'));
      return;
    }
    machine.answers.add(response);
    const json = (request.headers['content-type'] ?? '').includes('json');
    const body = json ? await bodyOf(request) : undefined;
    if (this.ignoresRange) {
      delete request.headers.range;
    }
    const answer: Buffer[] = [];
    let status = 0;
    const onAnswer = (given: number, chunk: Buffer): void => {
      status = given;
      answer.push(chunk);
    };
    await forward(machine.box.socket, request, response, {
      path: `${rest}${url.search}`,
      ...(body ? { body, onAnswer } : {}),
    });
    machine.answers.delete(response);
    if (body && status === 200) {
      const exchange = {
        method: request.method ?? '',
        path: rest,
        request: JSON.parse(body.toString()) as unknown,
        status,
        answer: JSON.parse(Buffer.concat(answer).toString()) as unknown,
      };
      this.violations.push(...this.#checkToolbox(exchange));
    }
  }

  #find(idOrName: string): DaytonaMachine | undefined {
    return this.machines.get(idOrName) ?? [...this.machines.values()].find(({ name }) => name === idOrName);
  }
}

function apiError(statusCode: number, message: string): Record<string, unknown> {
  return { statusCode, message, error: 'Error', path: '', timestamp: new Date().toISOString(), source: 'DAYTONA_API' };
}
