import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { isRecord } from '../../protocol/isRecord.ts';
import { RpcPeer } from '../../protocol/rpc.ts';
import { PROTOCOL_VERSION, WS_SUBPROTOCOL } from '../../protocol/version.ts';
import { percentile } from '../figure.ts';
import { serveHelper, startHelper, type HelperProcess } from '../support/helperProcess.ts';
import type { FanoutAddress } from './fanoutServerProcess.ts';

/*
 * A publisher and subscribers of one session, in one process. It stands for as many machines as it has subscribers, so only one
 * in ten does what a client does with a frame; the others count the events in it. Forked, this file is that process.
 */

interface Join {
  address: FanoutAddress;
  clients: number;
}

export type FanoutClients = HelperProcess<typeof questions>;

export function startFanoutClients(): FanoutClients {
  return startHelper<typeof questions>(import.meta.filename);
}

/** Events that are under way at most: a publisher that runs ahead would measure buffers. */
const WINDOW = 256;
const PARSING_SHARE = 10;
const CALL_TIMEOUT_MS = 30_000;
const PATIENCE_MS = 60_000;

let sockets: WebSocket[] = [];
let publisher: WebSocket | undefined;
let delivered = 0;
let sent = 0;
/** When each event was sent, by its number. */
let sentAt: number[] = [];
let late: number[] | undefined;
let onDelivered = (): void => {};

const questions = {
  async join({ address, clients }: Join): Promise<void> {
    sockets.forEach(socket => socket.terminate());
    publisher?.terminate();
    sockets = [];
    [delivered, sent, sentAt, late] = [0, 0, [], undefined];
    for (let number = 0; number < clients; number++) {
      sockets.push(await subscribe(address, number % PARSING_SHARE === 0));
    }
    publisher = new WebSocket(address.publishUrl, { perMessageDeflate: false });
    await once(publisher, 'open');
  },
  /** Publishes as fast as the subscribers take. @returns how long it took until every subscriber had everything */
  async burst(events: number): Promise<number> {
    const startedAt = performance.now();
    const [from, all] = [sent, (sent + events) * sockets.length];
    await withinPatience(
      new Promise<void>(resolve => {
        onDelivered = () => {
          while (sent < from + events && sent - delivered / sockets.length < WINDOW) {
            publish();
          }
          if (delivered >= all) {
            resolve();
          }
        };
        onDelivered();
      }),
    );
    onDelivered = () => {};
    return performance.now() - startedAt;
  },
  /** Publishes evenly. @returns milliseconds from send to receipt, at every subscriber */
  async pace({ events, perSecond }: { events: number; perSecond: number }): Promise<{ p50: number; p99: number }> {
    late = [];
    const startedAt = performance.now();
    for (let number = 0; number < events; number++) {
      await sleep(Math.max(0, startedAt + (number * 1000) / perSecond - performance.now()));
      publish();
    }
    const all = sent * sockets.length;
    await withinPatience(
      new Promise<void>(resolve => {
        onDelivered = () => delivered >= all && resolve();
        onDelivered();
      }),
    );
    onDelivered = () => {};
    return { p50: percentile(late, 0.5), p99: percentile(late, 0.99) };
  },
};

/** The session's own first event. */
const FIRST_SEQ = 1;
/** Before the number of each event in a frame. */
const SEQ = Buffer.from('{"seq":');

/** As long as the event that the relay's wire makes of it. */
const FILL = 'x'.repeat(220);

function publish(): void {
  sentAt.push(performance.now());
  sent++;
  const body = { type: 'noticeRaised', level: 'info', text: FILL };
  publisher?.send(JSON.stringify({ seq: sent, at: sent, body }));
}

/** @param number of the event, from 1 */
function onEvent(number: number): void {
  delivered++;
  late?.push(performance.now() - (sentAt[number - 1] ?? Number.NaN));
}

async function subscribe({ url, relay }: FanoutAddress, isParsing: boolean): Promise<WebSocket> {
  const options = { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 };
  if (!relay) {
    const socket = new WebSocket(url, options);
    await once(socket, 'open');
    socket.on('message', (data: Buffer) => {
      if (isParsing) {
        const event: unknown = JSON.parse(data.toString('utf8'));
        onEvent(isRecord(event) ? Number(event['seq']) : 0);
      } else {
        delivered++;
      }
      onDelivered();
    });
    return socket;
  }
  const headers = { authorization: `Bearer ${relay.token}` };
  const socket = new WebSocket(url, WS_SUBPROTOCOL, { ...options, headers });
  await once(socket, 'open');
  const peer = new RpcPeer(
    { send: frame => socket.send(frame) },
    {
      onCall: () => Promise.reject(new Error('Clients are not called.')),
      onNotification: (_method, params) => {
        const events: unknown = isRecord(params) ? params['events'] : undefined;
        for (const event of Array.isArray(events) ? events : []) {
          onEvent(isRecord(event) ? Number(event['seq']) - FIRST_SEQ : 0);
        }
        onDelivered();
      },
    },
  );
  let last = FIRST_SEQ;
  socket.on('message', (data: Buffer) => {
    const at = isParsing ? -1 : data.lastIndexOf(SEQ);
    if (at === -1) {
      peer.receive(data.toString('utf8'));
      return;
    }
    const seq = Number.parseInt(data.toString('latin1', at + SEQ.length, at + SEQ.length + 16), 10);
    delivered += seq - last;
    last = seq;
    onDelivered();
  });
  const protocol = { newest: PROTOCOL_VERSION, oldest: PROTOCOL_VERSION };
  await peer.call('initialize', { protocol, client: { name: 'bench', version: '0' } }, CALL_TIMEOUT_MS);
  await peer.call('session.subscribe', { sessionId: relay.sessionId, afterSeq: FIRST_SEQ }, CALL_TIMEOUT_MS);
  return socket;
}

async function withinPatience(done: Promise<void>): Promise<void> {
  const tooLong = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error(`${sent * sockets.length - delivered} deliveries did not come.`);
  });
  await Promise.race([done, tooLong]);
}

if (process.argv[1] === import.meta.filename) {
  serveHelper(questions);
}
