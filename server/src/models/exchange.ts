import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Usage } from '../../../protocol/events.ts';
import { requestHeaders, responseHeaders, type ModelKey } from './headers.ts';
import type { RequestBody } from './modelRequest.ts';
import { REFUSALS, refuse } from './refusal.ts';
import { UsageMeter } from './usageMeter.ts';

/** One call that is passed on. */
export interface ExchangeSpec {
  request: IncomingMessage;
  response: ServerResponse;
  body: RequestBody;
  url: URL;
  key: ModelKey;
  agents: Connections;
  model: string;
  /** Silence longer than this, before or in the answer, cuts it, so that the agent tries again. */
  silenceMs: number;
  onUsage(usage: Usage): void;
  /** Called after every piece of the answer with the estimated cost that is not in `onUsage` yet; true cuts the answer. */
  isOverBudget(openUsd: number): boolean;
  onByte(): void;
}

export interface ExchangeResult {
  /** Of the model service; undefined when it did not answer. */
  status: number | undefined;
  end: 'whole' | 'clientLeft' | 'silent' | 'unreachable' | 'overBudget';
  model: string;
}

export interface Connections {
  http: HttpAgent;
  https: HttpsAgent;
}

export function createConnections(): Connections {
  const options = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 16 };
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}

/** Passes a call to the model service and its answer back, byte for byte as it comes. Settles when both sides are done. */
export function runExchange(spec: ExchangeSpec): Promise<ExchangeResult> {
  return new Promise(resolve => new Exchange(spec, resolve).start());
}

class Exchange {
  readonly #spec: ExchangeSpec;
  readonly #resolve: (result: ExchangeResult) => void;
  readonly #meter: UsageMeter;
  #upstream: ClientRequest | undefined;
  #status: number | undefined;
  #json: Buffer[] | undefined;
  #lastByteAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(spec: ExchangeSpec, resolve: (result: ExchangeResult) => void) {
    this.#spec = spec;
    this.#resolve = resolve;
    this.#meter = new UsageMeter(spec.model, usage => spec.onUsage(usage));
  }

  start(): void {
    const { request, response, body, url, key, agents } = this.#spec;
    const secure = url.protocol === 'https:';
    this.#upstream = (secure ? httpsRequest : httpRequest)(url, {
      method: request.method,
      headers: requestHeaders(request.headers, key, body.bytes),
      agent: secure ? agents.https : agents.http,
    });
    this.#upstream.setNoDelay(true);
    this.#upstream.on('response', answer => this.#answer(answer));
    this.#upstream.on('error', () => this.#end('unreachable'));
    response.on('close', () => this.#end('clientLeft'));
    this.#watch(this.#spec.silenceMs);
    this.#send(this.#upstream, body);
  }

  #send(upstream: ClientRequest, { start, rest }: RequestBody): void {
    if (rest === undefined) {
      upstream.end(start);
      return;
    }
    rest.on('error', () => this.#end('clientLeft'));
    upstream.write(start);
    rest.pipe(upstream);
  }

  #answer(answer: IncomingMessage): void {
    const { response } = this.#spec;
    this.#status = answer.statusCode ?? 502;
    const isStream = answer.headers['content-type']?.startsWith('text/event-stream') === true;
    this.#json = isStream ? undefined : [];
    response.writeHead(this.#status, responseHeaders(answer.headers, this.#status));
    response.flushHeaders();
    this.#heard();
    answer.on('data', (chunk: Buffer) => {
      const room = response.write(chunk);
      this.#heard();
      // `write` sends on the next tick, which comes before this.
      queueMicrotask(() => this.#count(chunk));
      if (!room && !this.#over) {
        answer.pause();
        response.once('drain', () => answer.resume());
      }
    });
    // Without `complete` the service broke off: the agent must see that too. The last piece is counted before.
    answer.on('close', () => queueMicrotask(() => this.#end(answer.complete ? 'whole' : 'unreachable')));
    answer.on('end', () => answer.complete && queueMicrotask(() => this.#end('whole')));
    answer.on('error', () => this.#end('unreachable'));
  }

  /** Runs after the piece went on its way, so that counting delays nothing. */
  #count(chunk: Buffer): void {
    if (this.#json !== undefined) {
      this.#json.push(chunk);
      return;
    }
    this.#meter.feedEvents(chunk);
    if (this.#spec.isOverBudget(this.#meter.openUsd)) {
      this.#end('overBudget');
    }
  }

  #heard(): void {
    this.#lastByteAt = performance.now();
    this.#spec.onByte();
  }

  /** One timer for the whole exchange: it looks how long the silence is and waits for the rest. */
  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const restMs = this.#lastByteAt + this.#spec.silenceMs - performance.now();
      if (restMs > 0) {
        this.#watch(restMs);
      } else {
        this.#end('silent');
      }
    }, delayMs);
  }

  #end(end: ExchangeResult['end']): void {
    if (this.#over) {
      return;
    }
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#json !== undefined && end === 'whole') {
      this.#meter.feedMessage(Buffer.concat(this.#json).toString());
    } else if (this.#status === 200) {
      this.#meter.finish();
    }
    const { request, response } = this.#spec;
    // What nobody takes any more is read away, or the connection would stay in the middle of a call.
    request.unpipe();
    request.resume();
    if (end === 'whole') {
      response.end();
      if (this.#upstream?.writableFinished === false) {
        this.#upstream.destroy();
      }
    } else {
      this.#upstream?.destroy();
      if (this.#status === undefined && end !== 'clientLeft') {
        refuse(response, end === 'silent' ? REFUSALS.silent : REFUSALS.unreachable);
      } else {
        response.destroy();
      }
    }
    this.#resolve({ status: this.#status, end, model: this.#meter.model });
  }
}
