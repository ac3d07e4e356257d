import { strict as assert } from 'node:assert';
import type { RelaySocket } from '../../client/link/relaySocket.ts';
import { createWsSocket } from '../../client/wsSocket.ts';
import type { SessionEvent } from '../../protocol/events.ts';
import type { SessionMirror } from '../../protocol/sessionMirror.ts';
import { recordedSession } from '../support/recordedSession.ts';
import { wireClient } from '../support/wireClient.ts';
import { startWireServer, WIRE_TOKEN } from '../support/wireServer.ts';
import type { WireServer } from '../support/wireServer.ts';
import { until } from '../support/wireUntil.ts';

/** Where a socket breaks: at which of its messages, in which direction, and whether that one still gets through. */
interface Cut {
  direction: 'in' | 'out';
  passes: boolean;
  /** The message of the client's whole life, or of each socket. */
  at: number;
  everySocket: boolean;
}

describe('wire: a socket that breaks at a message', function () {
  this.timeout(120_000);
  let server: WireServer;

  before(async () => {
    server = await startWireServer();
  });
  after(() => server.close());

  for (const direction of ['in', 'out'] as const) {
    for (const passes of [true, false]) {
      const which = `${direction === 'in' ? 'of the relay' : 'of the client'}, which ${passes ? 'arrives' : 'is lost'}`;
      it(`loses and repeats nothing, at whichever message ${which}`, async () => {
        let cuts = 0;
        for (let at = 1; ; at++) {
          const broke = await follow({ direction, passes, at, everySocket: false });
          if (!broke) {
            break;
          }
          cuts++;
        }
        // One call to initialize, one to subscribe and three messages are the least that a client sends.
        assert.ok(cuts >= (direction === 'out' ? 5 : 15), `only ${cuts} boundaries`);
      });

      it(`gets on although every socket breaks after a few messages ${which}`, async () => {
        // Fewer than these would never let an answer through.
        for (const at of direction === 'in' ? [6, 7, 9] : [4, 5]) {
          await follow({ direction, passes, at, everySocket: true });
        }
      });
    }
  }

  /** Follows a session from its first to its last event. @returns whether the socket was broken */
  async function follow(cut: Cut): Promise<boolean> {
    const { sessions } = server;
    const sessionId = sessions.create();
    const breaking = new BreakingSockets(cut, () => createWsSocket(server.url, WIRE_TOKEN));
    const client = wireClient('', { connect: () => breaking.open(), backoff: { firstMs: 1, maxMs: 2 } });
    const events: SessionEvent[] = [];
    const mirrors = new Set<SessionMirror>();
    client.follow(sessionId, (mirror, change) => {
      mirrors.add(mirror);
      if (change.kind === 'events') {
        events.push(...change.events);
      }
      assert.notEqual(change.kind, 'failed');
    });
    client.connect();
    try {
      const sends: Promise<unknown>[] = [];
      const groups = recordedSession();
      for (const [index, bodies] of groups.entries()) {
        sessions.append(sessionId, ...bodies);
        sessions.write(sessionId, `live${index}`, `Text ${index}`);
        if (index % 5 === 0) {
          sends.push(client.call('session.send', { sessionId, text: `message ${index}` }));
        }
        // So that they come as messages of their own.
        await until(() => events.length >= sessions.session(sessionId).events.length - sends.length);
      }
      await Promise.all(sends);
      const stored = sessions.session(sessionId);
      await until(() => events.length >= stored.events.length);
      assert.deepEqual(events, stored.events, JSON.stringify(cut));
      const [mirror] = mirrors;
      assert.deepEqual([mirrors.size, mirror?.state], [1, stored.state]);
      const queued = stored.events.flatMap(({ body }) =>
        body.type === 'messageQueued' && body.text.startsWith('message ') ? [body.text] : [],
      );
      assert.deepEqual(queued.toSorted(), ['message 0', 'message 10', 'message 5']);
    } finally {
      client.dispose();
    }
    return breaking.broken > 0;
  }
});

/** Sockets that break, without a word, when a message is counted out. */
class BreakingSockets {
  broken = 0;
  readonly #cut: Cut;
  readonly #open: () => RelaySocket;
  #seen = 0;

  constructor(cut: Cut, open: () => RelaySocket) {
    this.#cut = cut;
    this.#open = open;
  }

  open(): RelaySocket {
    const { direction, passes, at, everySocket } = this.#cut;
    if (everySocket) {
      this.#seen = 0;
    }
    const inner = this.#open();
    let whole = true;
    const outer: RelaySocket = {
      send: frame => through('out', () => inner.send(frame)),
      close: () => inner.close(),
      onOpen: () => {},
      onMessage: () => {},
      onError: () => {},
      onClose: () => {},
    };
    const through = (way: Cut['direction'], pass: () => void): void => {
      const isLast = way === direction && whole && ++this.#seen === at;
      if (whole && (!isLast || passes)) {
        pass();
      }
      if (isLast) {
        whole = false;
        this.broken++;
        inner.close();
      }
    };
    inner.onOpen = () => outer.onOpen();
    inner.onMessage = frame => through('in', () => outer.onMessage(frame));
    inner.onError = error => outer.onError(error);
    inner.onClose = (code, reason) => outer.onClose(code, reason);
    return outer;
  }
}
