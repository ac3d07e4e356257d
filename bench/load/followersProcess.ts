import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { isRecord } from '../../protocol/isRecord.ts';
import { RpcPeer } from '../../protocol/rpc.ts';
import { PROTOCOL_VERSION, WS_SUBPROTOCOL } from '../../protocol/version.ts';
import { preciseNow } from '../../test/support/modelReply.ts';
import { percentile } from '../figure.ts';
import { serveHelper, startHelper, type HelperProcess } from '../support/helperProcess.ts';

/*
 * Clients of a relay that follow sessions, in one process. They note of every event that it came, once and in order, and how
 * late. Forked, this file is that process.
 */

interface Follow {
  url: string;
  token: string;
  sessionIds: string[];
  /** The sessions are dealt out to so many sockets, or every socket follows all of them. */
  sockets: number;
  everySocketAll?: boolean;
  /** What the clients have already. */
  afterSeq?: number;
}

interface Slow {
  url: string;
  token: string;
  sessionIds: string[];
  /** 0: takes nothing at all. */
  bytesPerSecond: number;
}

export interface Seen {
  events: number;
  duplicates: number;
  gaps: number;
  lastSeqs: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  summaries: number;
  megabytes: number;
}

export type Followers = HelperProcess<typeof questions>;

export function startFollowers(): Followers {
  return startHelper<typeof questions>(import.meta.filename);
}

const CALL_TIMEOUT_MS = 60_000;
const WRITTEN_AT = /^\[\d+\.\d+@([\d.]+)\]/;

const sockets: WebSocket[] = [];
/** One a socket: the last seq of each session that it follows. */
const followed: Map<string, number>[] = [];
const streamed = { textChars: 0, deltaChars: 0 };
let late: number[] = [];
let counts = { events: 0, duplicates: 0, gaps: 0, summaries: 0, bytes: 0 };
let onProgress = (): void => {};

const questions = {
  async follow({ url, token, sessionIds, sockets: count, everySocketAll, afterSeq = 0 }: Follow): Promise<void> {
    for (let number = 0; number < count; number++) {
      const own = everySocketAll ? sessionIds : sessionIds.filter((_, index) => index % count === number);
      const last = new Map<string, number>();
      followed.push(last);
      const peer = await connect(url, token, (method, params) => onNotification(last, method, params));
      for (const sessionId of own) {
        last.set(sessionId, afterSeq);
        await peer.call('session.subscribe', { sessionId, afterSeq }, CALL_TIMEOUT_MS);
      }
    }
  },
  /** A client beside the others, which is not measured. */
  async followSlowly({ url, token, sessionIds, bytesPerSecond }: Slow): Promise<void> {
    let taken = 0;
    const peer = await connect(
      url,
      token,
      () => {},
      bytes => (taken += bytes),
    );
    const socket = sockets.at(-1);
    for (const sessionId of sessionIds) {
      await peer.call('session.subscribe', { sessionId, afterSeq: 0 }, CALL_TIMEOUT_MS);
    }
    socket?.pause();
    if (bytesPerSecond > 0) {
      const startedAt = performance.now();
      taken = 0;
      setInterval(() => {
        const due = ((performance.now() - startedAt) / 1000) * bytesPerSecond;
        if (socket?.readyState === WebSocket.OPEN && taken < due) {
          socket.resume();
        } else if (socket?.readyState === WebSocket.OPEN) {
          socket.pause();
        }
      }, 20).unref();
    }
  },
  /** Begins a new measurement. */
  reset(): void {
    late = [];
    counts = { events: 0, duplicates: 0, gaps: 0, summaries: 0, bytes: 0 };
  },
  /** Resolves when every session has come to this seq at every socket that follows it, or after the time. */
  async reach({ seqs, timeoutMs }: { seqs: Record<string, number>; timeoutMs: number }): Promise<number> {
    const reached = (): boolean =>
      followed.every(last => [...last].every(([sessionId, seq]) => seq >= (seqs[sessionId] ?? 0)));
    const done = new Promise<number>(resolve => {
      onProgress = () => {
        if (reached()) {
          resolve(preciseNow());
        }
      };
      onProgress();
    });
    const at = await Promise.race([done, sleep(timeoutMs, Number.NaN, { ref: false })]);
    onProgress = () => {};
    return at;
  },
  seen(): Seen {
    const lastSeqs: Record<string, number> = {};
    for (const [sessionId, seq] of followed.flatMap(last => [...last])) {
      lastSeqs[sessionId] = Math.min(seq, lastSeqs[sessionId] ?? seq);
    }
    const { events, duplicates, gaps, summaries, bytes } = counts;
    return {
      events,
      duplicates,
      gaps,
      summaries,
      lastSeqs,
      megabytes: bytes / 1e6,
      p50Ms: percentile(late, 0.5),
      p99Ms: percentile(late, 0.99),
      maxMs: percentile(late, 1),
    };
  },
  /** How much of the text came while it was being written, and how much of it as finished messages. */
  streamed(): typeof streamed {
    return streamed;
  },
  async leave(): Promise<void> {
    for (const socket of sockets.splice(0)) {
      socket.terminate();
    }
    followed.length = 0;
  },
};

async function connect(
  url: string,
  token: string,
  onMessage: (method: string, params: unknown) => void,
  onBytes?: (bytes: number) => void,
): Promise<RpcPeer> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/ws`, WS_SUBPROTOCOL, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  const peer = new RpcPeer(
    { send: frame => socket.send(frame) },
    { onCall: () => Promise.reject(new Error('Clients are not called.')), onNotification: onMessage },
  );
  socket.on('message', data => {
    const text = Buffer.isBuffer(data) ? data.toString('utf8') : '';
    counts.bytes += text.length;
    onBytes?.(text.length);
    peer.receive(text);
  });
  const protocol = { newest: PROTOCOL_VERSION, oldest: PROTOCOL_VERSION };
  await peer.call('initialize', { protocol, client: { name: 'bench', version: '0' } }, CALL_TIMEOUT_MS);
  sockets.push(socket);
  return peer;
}

function onNotification(last: Map<string, number>, method: string, params: unknown): void {
  if (!isRecord(params)) {
    return;
  }
  if (method === 'session.changed') {
    counts.summaries++;
  } else if (method === 'session.delta') {
    streamed.deltaChars += String(params['text']).length;
  } else if (method === 'session.events' && Array.isArray(params['events'])) {
    const at = preciseNow();
    for (const event of params['events']) {
      onEvent(last, String(params['sessionId']), event, at);
    }
    onProgress();
  }
}

function onEvent(last: Map<string, number>, sessionId: string, event: unknown, at: number): void {
  if (!isRecord(event) || typeof event['seq'] !== 'number' || !isRecord(event['body'])) {
    return;
  }
  const before = last.get(sessionId) ?? 0;
  const { seq, body } = event;
  counts.duplicates += seq <= before ? 1 : 0;
  counts.gaps += seq > before + 1 ? 1 : 0;
  last.set(sessionId, Math.max(seq, before));
  const text = body['type'] === 'textFinished' && isRecord(body['text']) ? body['text']['text'] : undefined;
  if (typeof text !== 'string') {
    return;
  }
  counts.events++;
  const writtenAt = WRITTEN_AT.exec(text)?.[1];
  if (writtenAt === undefined) {
    streamed.textChars += text.length;
  } else {
    late.push(at - Number(writtenAt));
  }
}

if (process.argv[1] === import.meta.filename) {
  serveHelper(questions);
}
