import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { forward } from '../forward.ts';
import { bodyOf, sendEmpty, sendJson } from '../inside/httpParts.ts';
import { VendorEmulator } from '../vendorEmulator.ts';
import { E2bMachine } from './e2bMachine.ts';
import {
  connectSchema,
  envdAnswers,
  envdRequests,
  envelopesOf,
  newSandboxSchema,
  pauseSchema,
  timeoutSchema,
  type ApiError,
} from './e2bWire.ts';

/*
 * E2B played on loopback for its real SDK: the control plane here, envd inside each sandbox, which is a box of real
 * processes. One port serves both, told apart by the header E2b-Sandbox-Id as with the SDK's `sandboxUrl`.
 */

export const E2B_TEST_KEY = `e2b_${'0'.repeat(40)}`;

export class E2bEmulator extends VendorEmulator {
  readonly machines = new Map<string, E2bMachine>();
  /** Templates that exist. */
  readonly templates = new Set(['base']);

  static async start(): Promise<E2bEmulator> {
    const emulator = new E2bEmulator(E2B_TEST_KEY);
    await emulator.listen('e2b');
    return emulator;
  }

  override get env(): Record<string, string> {
    return {
      SANDPIPER_E2B_API_KEY: this.apiKey,
      SANDPIPER_E2B_API_URL: this.url,
      SANDPIPER_E2B_SANDBOX_URL: this.url,
      SANDPIPER_E2B_TEMPLATE: 'base',
    };
  }

  protected override async endMachines(): Promise<void> {
    await Promise.all([...this.machines.values()].map(async machine => machine.kill()));
  }

  protected override errorBody(code: number): unknown {
    return { code, message: 'a fault' };
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.headers['e2b-sandbox-id'] === undefined) {
      await this.#control(request, response, url);
    } else {
      await this.#envd(request, response, url);
    }
  }

  async #control(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const body = await bodyOf(request);
    if (request.headers['x-api-key'] !== this.apiKey) {
      fail(response, 401, 'Invalid API key');
      return;
    }
    const input: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
    if (url.pathname === '/v2/sandboxes') {
      await (request.method === 'POST' ? this.#create(response, input) : this.#list(response, url));
      return;
    }
    const [, id = '', action = ''] = /^(?:\/v2)?\/sandboxes\/([^/]+)(?:\/([a-z]+))?$/.exec(url.pathname) ?? [];
    const machine = this.machines.get(id);
    if (!machine) {
      fail(response, 404, `Sandbox "${id}" doesn't exist or you don't have access to it`);
    } else {
      await this.#act(`${request.method} ${action}`, machine, response, input);
    }
  }

  async #create(response: ServerResponse, input: unknown): Promise<void> {
    const asked = this.#checked('POST /v2/sandboxes', newSandboxSchema, input);
    if (!this.templates.has(asked.templateID)) {
      fail(response, 404, `template '${asked.templateID}' not found`);
      return;
    }
    if (this.machines.size >= this.quota) {
      fail(response, 429, 'you have reached the maximum number of concurrent E2B sandboxes');
      return;
    }
    const machine: E2bMachine = new E2bMachine(this.folder, {
      templateId: asked.templateID,
      metadata: asked.metadata ?? {},
      env: asked.envVars ?? {},
      autoPause: asked.autoPause ?? false,
      onEnd: () => this.machines.delete(machine.id),
    });
    await machine.box.start();
    this.machines.set(machine.id, machine);
    machine.live(asked.timeout ?? 300);
    sendJson(response, 201, machine.created());
  }

  async #list(response: ServerResponse, url: URL): Promise<void> {
    let found = [...this.machines.values()];
    const states = url.searchParams.get('state')?.split(',');
    // Each value arrives encoded three times, of which two are undone here and by the URL itself.
    for (const [name, value] of new URLSearchParams(url.searchParams.get('metadata') ?? '')) {
      found = found.filter(machine => machine.metadata[decodeURIComponent(name)] === decodeURIComponent(value));
    }
    found = found.filter(machine => !states || states.includes(machine.state));
    const first = Number(url.searchParams.get('nextToken') ?? 0);
    const next = first + this.pageSize;
    const page = found.slice(first, next).map(machine => machine.listed());
    sendJson(response, 200, page, next < found.length ? { 'x-next-token': String(next) } : {});
  }

  async #act(action: string, machine: E2bMachine, response: ServerResponse, input: unknown): Promise<void> {
    switch (action) {
      case 'GET ':
        sendJson(response, 200, machine.detail());
        return;
      case 'DELETE ':
        await machine.kill();
        sendEmpty(response, 204);
        return;
      case 'POST timeout':
        machine.live(this.#checked(action, timeoutSchema, input).timeout);
        sendEmpty(response, 204);
        return;
      case 'POST pause':
        this.#checked(action, pauseSchema, input);
        if (machine.state === 'paused') {
          fail(response, 409, 'Sandbox is already paused');
          return;
        }
        await machine.pause();
        sendEmpty(response, 204);
        return;
      case 'POST connect': {
        const seconds = this.#checked(action, connectSchema, input).timeout ?? 300;
        const paused = machine.state === 'paused';
        if (paused) {
          await machine.resume();
        }
        if (paused || Date.now() + seconds * 1000 > machine.endAt) {
          machine.live(seconds);
        }
        sendJson(response, paused ? 201 : 200, machine.created());
        return;
      }
      default:
        this.violations.push(`E2B has no such call: ${action}`);
        fail(response, 404, 'no such route');
    }
  }

  async #envd(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const id = String(request.headers['e2b-sandbox-id']);
    const machine = this.machines.get(id);
    if (machine?.state !== 'running') {
      request.resume();
      sendJson(response, 502, { sandboxId: id, message: 'The sandbox was not found', code: 502 });
      return;
    }
    if (url.pathname !== '/health' && !isAllowed(request, url, machine)) {
      request.resume();
      fail(response, 401, 'unauthorized access, please provide a valid access token or method signing if supported');
      return;
    }
    machine.answers.add(response);
    const target = `${url.pathname}${url.search}`;
    if (!(url.pathname in envdRequests)) {
      await forward(machine.box.socket, request, response, { path: target });
    } else {
      await this.#call(machine, request, response, url.pathname);
    }
    machine.answers.delete(response);
  }

  async #call(machine: E2bMachine, request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const streamed = (request.headers['content-type'] ?? '').startsWith('application/connect+json');
    const body = await bodyOf(request);
    const schema = envdRequests[path];
    if (schema) {
      this.#checked(path, schema, JSON.parse((streamed ? body.subarray(5) : body).toString() || '{}') as unknown);
    }
    const answer: Buffer[] = [];
    let status = 200;
    const onAnswer = (given: number, chunk: Buffer): void => {
      status = given;
      answer.push(chunk);
    };
    await forward(machine.box.socket, request, response, { path, body, onAnswer });
    if (status === 200 && answer.length > 0) {
      const bytes = Buffer.concat(answer);
      const messages = streamed
        ? envelopesOf(bytes).flatMap(({ flags, body: message }) => (flags === 0 ? [message] : []))
        : [JSON.parse(bytes.toString()) as unknown];
      for (const message of messages) {
        const problem = envdAnswers[path]?.safeParse(message).error;
        if (problem) {
          this.violations.push(`the answer of ${path}: ${problem.message}`);
        }
      }
    }
  }

  #checked<T>(what: string, schema: z.ZodType<T>, input: unknown): T {
    const { data, error } = schema.safeParse(input);
    if (error) {
      this.violations.push(`the request ${what}: ${error.message}`);
      throw new Error(error.message);
    }
    return data;
  }
}

/** By the token, or for a file by a signature of path, way and user. */
function isAllowed(request: IncomingMessage, url: URL, { accessToken }: E2bMachine): boolean {
  if (request.headers['x-access-token'] === accessToken) {
    return true;
  }
  const get = (name: string): string => url.searchParams.get(name) ?? '';
  const parts = [get('path'), request.method === 'GET' ? 'read' : 'write', get('username'), accessToken];
  const expires = url.searchParams.get('signature_expiration');
  const text = [...parts, ...(expires === null ? [] : [expires])].join(':');
  const digest = createHash('sha256').update(text).digest('base64').replace(/=+$/, '');
  return url.pathname === '/files' && get('signature') === `v1_${digest}`;
}

function fail(response: ServerResponse, code: number, message: string): void {
  const body: ApiError = { code, message };
  sendJson(response, code, body);
}
