import { RelayLink } from '../../../client/link/relayLink.ts';
import type { ConnectionState as LinkState } from '../../../client/link/connectionState.ts';
import { NOT_REACHED_MS, notReached } from '../../../client/link/notReached.ts';
import type { CallName, CallParams, CallResult } from '../../../protocol/calls.ts';
import { SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import { newId } from '../../../protocol/ids.ts';
import { isRecord } from '../../../protocol/isRecord.ts';
import type { RpcPeer } from '../../../protocol/rpc.ts';
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { browserSocket } from './browserSocket.ts';
import { t } from '../../../protocol/text.ts';

const CALL_TIMEOUT_MS = 30_000;
/** Preparing a branch and talking to a forge takes its time. */
const SLOW_CALL_TIMEOUT_MS = 180_000;
const INITIALIZE_TIMEOUT_MS = 10_000;

export interface ConnectionHandlers {
  onState(state: LinkState): void;
  /** After each connecting, before anything that waited for it is sent. */
  onConnected(): void;
  onNotification(method: string, params: unknown): void;
}

type Unkeyed<N extends CallName> = Omit<CallParams<N>, 'key'>;

/** The page's calls to its relay, over connections that come and go. */
export class RelayConnection {
  readonly #link: RelayLink;

  constructor(token: string, handlers: ConnectionHandlers) {
    this.#link = new RelayLink({
      connect: () => browserSocket(token),
      initialize,
      onNotification: (method, params) => handlers.onNotification(method, params),
      onState: state => handlers.onState(state),
      onConnected: () => handlers.onConnected(),
    });
    // A page that comes back may have slept, on a phone above all.
    window.addEventListener('online', () => this.#link.nudge());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') {
        this.#link.nudge();
      }
    });
  }

  get retryInMs(): number | undefined {
    return this.#link.retryInMs;
  }

  /** Connects and stays connected; tries again at once when it waits. */
  connect(): void {
    this.#link.connect();
  }

  /** Waits for a connection, then calls. @throws {SandpiperError} */
  async call<N extends CallName>(name: N, params: CallParams<N>): Promise<CallResult<N>> {
    const timeoutMs = name.startsWith('pullRequest.') ? SLOW_CALL_TIMEOUT_MS : CALL_TIMEOUT_MS;
    const peer = await this.#link.whenConnected(name, timeoutMs);
    const result = await peer.call(name, params, timeoutMs);
    if (!isRecord(result)) {
      throw new SandpiperError('internal', t('The relay answered {0} with something that is no object.', name));
    }
    // The relay serves this page: both are of one build, and what it sends was made to the call's schema there. Checking
    // it again would put the schemas' library into the page, which is larger than all of the page.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return result as CallResult<N>;
  }

  /**
   * A call that changes something: once it has left, repeated with the same key until the relay has answered it (I3).
   * @throws `unavailable` when there is no connection: then nothing has left
   */
  async mutate<N extends CallName>(name: N, params: Unkeyed<N>): Promise<CallResult<N>> {
    await this.#link.whenConnected(name, NOT_REACHED_MS).catch((thrown: unknown) => {
      throw notReached(thrown);
    });
    // The key is what was left out; generic types cannot be added up again.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const keyed = { ...params, key: newId('key') } as unknown as CallParams<N>;
    for (;;) {
      try {
        return await this.call(name, keyed);
      } catch (thrown) {
        const { code } = toSandpiperError(thrown);
        if (code !== 'disconnected' && code !== 'timeout') {
          throw thrown;
        }
      }
    }
  }
}

async function initialize(peer: RpcPeer): Promise<void> {
  try {
    await peer.call(
      'initialize',
      {
        protocol: { newest: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL_VERSION },
        client: { name: 'sandpiper-browser', version: '1' },
      },
      INITIALIZE_TIMEOUT_MS,
    );
  } catch (thrown) {
    const error = toSandpiperError(thrown);
    if (error.code === 'version_mismatch') {
      throw new SandpiperError('version_mismatch', error.message, { hint: t('Load the page anew.') });
    }
    throw error;
  }
}
