import assert from 'node:assert/strict';
import type { RelayClient } from '../../client/relayClient.ts';
import type { FollowListener } from '../../client/followedSession.ts';
import type { RelaySocket } from '../../client/link/relaySocket.ts';
import { isCallName } from '../../protocol/calls.ts';
import { isRecord } from '../../protocol/isRecord.ts';
import { eventually } from './eventually.ts';
import { eventsIn, typeOf, type RecordedFrame } from './recordedWire.ts';
import { missingFrom, renamed, type Names } from './wireShape.ts';
import type { WireSocket } from './wireSocket.ts';

const PATIENCE_MS = 20_000;

/**
 * Says to a relay what a recorded client said, each thing once everything has come that had come before. Parameters get a
 * field that the relay does not know.
 *
 * @returns what that client would look for in vain in the answers and events
 */
export async function replayClient(
  socket: WireSocket,
  recording: readonly RecordedFrame[],
  names: Names,
): Promise<string[]> {
  const missing: string[] = [];
  const came = new Map<string, number>();
  let noticed: { sessionId: string; event: Record<string, unknown> }[] = [];
  const compareNoticed = async (): Promise<void> => {
    for (const { sessionId, event } of noticed) {
      const type = typeOf(event);
      const own = String(renamed(sessionId, names));
      const index = came.get(`${own} ${type}`) ?? 0;
      came.set(`${own} ${type}`, index + 1);
      const now = await eventually(
        () => eventsOf(socket.frames, own, type)[index] ?? assert.fail(`${type} number ${index + 1} did not come`),
        PATIENCE_MS,
      );
      missing.push(...missingFrom(event, now, names, `event ${type}`));
    }
    noticed = [];
  };
  for (const { from, frame } of recording) {
    if (from === 'relay') {
      noticed.push(...eventsIn(frame));
      continue;
    }
    await compareNoticed();
    const { id, method } = frame;
    const params = renamed(frame['params'], names);
    const reply = await socket.call(String(method), {
      ...(isRecord(params) ? params : {}),
      somethingNewer: { deep: [1] },
    });
    assert.ok(isRecord(reply['result']), `${String(method)}: ${JSON.stringify(reply['error'])}`);
    const answered = recording.find(one => one.from === 'relay' && one.frame['id'] === id)?.frame['result'];
    missing.push(...missingFrom(answered, reply['result'], names, String(method)));
  }
  await compareNoticed();
  return missing;
}

/** In the order of their seq, each once, though a session was subscribed to twice. */
function eventsOf(frames: readonly Record<string, unknown>[], sessionId: string, type: string): unknown[] {
  const found = frames
    .flatMap(eventsIn)
    .filter(one => one.sessionId === sessionId && typeOf(one.event) === type)
    .map(({ event }): [unknown, unknown] => [event['seq'], event]);
  return [...new Map(found).values()];
}

/** A relay that can only say again what a recorded one said. */
export class RecordedRelay {
  readonly #recording: readonly RecordedFrame[];
  /** Calls of the client that are not answered yet: their method and id, oldest first. */
  readonly #open: { method: string; id: unknown }[] = [];
  #socket: RelaySocket | undefined;

  constructor(recording: readonly RecordedFrame[]) {
    this.#recording = recording;
  }

  /** What the client connects to. */
  connect(): RelaySocket {
    const socket: RelaySocket = {
      send: text => {
        const frame: unknown = JSON.parse(text);
        assert.ok(isRecord(frame));
        this.#open.push({ method: String(frame['method']), id: frame['id'] });
      },
      close: () => {},
      onOpen: () => {},
      onMessage: () => {},
      onError: () => {},
      onClose: () => {},
    };
    this.#socket = socket;
    setImmediate(() => socket.onOpen());
    return socket;
  }

  /** Lets the client make the calls of the recording, and gives it the answers and notifications in their order. */
  async play(client: RelayClient, listener: FollowListener): Promise<void> {
    const methods = new Map<unknown, string>();
    const results: Promise<unknown>[] = [];
    client.connect();
    for (const { from, frame } of this.#recording) {
      const { id, method, params } = frame;
      if (from === 'client') {
        methods.set(id, String(method));
        results.push(...this.#say(client, listener, String(method), isRecord(params) ? params : {}));
      } else if (id === undefined) {
        this.#socket?.onMessage(JSON.stringify(frame));
      } else {
        const open = await eventually(
          () => this.#open.find(one => one.method === methods.get(id)) ?? assert.fail(`no ${methods.get(id)}`),
        );
        this.#open.splice(this.#open.indexOf(open), 1);
        this.#socket?.onMessage(JSON.stringify({ ...frame, id: open.id }));
      }
    }
    await Promise.all(results);
  }

  #say(
    client: RelayClient,
    listener: FollowListener,
    method: string,
    params: Record<string, unknown>,
  ): Promise<unknown>[] {
    if (method === 'session.subscribe') {
      // Only the first time: after that the client follows by itself.
      if (params['afterSeq'] === 0) {
        client.follow(String(params['sessionId']), listener);
      }
      return [];
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a client of then passed
    return isCallName(method) ? [client.call(method, params as never)] : [];
  }
}
