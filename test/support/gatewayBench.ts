import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Usage } from '../../protocol/events.ts';
import { createLogger } from '../../server/src/core/log.ts';
import { createModelGateway, type ModelGateway, type ModelGatewayOptions } from '../../server/src/models/gateway.ts';
import { scripted, type StepInput } from './modelScript.ts';
import { startScriptedModel, type ScriptedModel } from './scriptedModel.ts';

export const GATEWAY_KEY = `sk-ant-canary-${randomUUID()}`;

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Whether the answer came to its end. */
  whole: boolean;
}

interface Call {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  onData?(text: string): void;
}

/** A model gateway before a scripted model, new for every test. */
export class GatewayBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'sp-'));
  readonly model: ScriptedModel;
  readonly usages: { sessionId: string; usage: Usage }[] = [];
  log = '';
  gateway: ModelGateway;

  constructor(model: ScriptedModel) {
    this.model = model;
    this.gateway = this.start();
  }

  start(options: Partial<ModelGatewayOptions> = {}): ModelGateway {
    return createModelGateway({
      upstreamUrl: this.model.url,
      key: () => ({ kind: 'apiKey', value: GATEWAY_KEY }),
      log: createLogger('debug', line => (this.log += line)),
      onUsage: (sessionId, usage) => this.usages.push({ sessionId, usage }),
      ...options,
    });
  }

  socket(name = 'a'): string {
    return join(this.folder, name, 'model.sock');
  }

  openSession(more: Partial<Parameters<ModelGateway['open']>[0]> = {}): ReturnType<ModelGateway['open']> {
    return this.gateway.open({
      sessionId: 'a',
      token: 'token-a',
      socketFolder: join(this.folder, 'a'),
      spentUsd: 0,
      ...more,
    });
  }

  async dispose(): Promise<void> {
    await this.gateway.dispose();
    await this.model.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A bench for every test of the suite that this is called in. */
export function useGatewayBench(): () => GatewayBench {
  let bench: GatewayBench | undefined;
  beforeEach(async () => {
    bench = new GatewayBench(await startScriptedModel({ apiKey: GATEWAY_KEY }));
  });
  afterEach(() => bench?.dispose());
  return () => {
    if (!bench) {
      throw new Error('The bench is there in tests only.');
    }
    return bench;
  };
}

export function callGateway(to: { socketPath: string } | { port: number }, what: Call = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        ...to,
        host: '127.0.0.1',
        method: what.method ?? 'POST',
        path: what.path ?? '/v1/messages',
        headers: { authorization: 'Bearer token-a', 'content-type': 'application/json', ...what.headers },
      },
      response => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
          what.onData?.(text);
        });
        response.on('error', () => {});
        response.on('close', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, whole: response.complete }),
        );
      },
    );
    request.on('error', reject);
    request.end(what.body);
  });
}

/** The body of a request that the scripted model answers with these steps. */
export function modelCall(steps: StepInput[], more: object = {}): string {
  return JSON.stringify({
    model: 'claude-opus-5-5',
    stream: true,
    tools: [{ name: 'Bash' }],
    messages: [{ role: 'user', content: scripted('go', steps) }],
    ...more,
  });
}
