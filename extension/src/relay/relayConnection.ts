import * as vscode from 'vscode';
import type { ConnectionState as ClientState } from '../../../client/link/connectionState.ts';
import { NOT_REACHED_MS } from '../../../client/link/notReached.ts';
import { showConnection } from '../../../client/link/showConnection.ts';
import type { FollowListener } from '../../../client/followedSession.ts';
import type { ClientParams, RelayClient } from '../../../client/relayClient.ts';
import type { CallName, CallResult } from '../../../protocol/calls.ts';
import { errorText, SandpiperError, toSandpiperError } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/session.ts';
import type { SpecDocument } from '../../../protocol/specCalls.ts';
import type { ConnectionState } from '../../../protocol/webviewApi.ts';
import { DisposableStore } from '../disposables.ts';
import type { Disposable } from '../disposables.ts';
import type { Log } from '../log.ts';
import { SECRETS } from '../manifest.ts';
import { onDidChangeSetting, readSetting } from '../settings.ts';
import { userText } from '../userText.ts';
import type { EmbeddedRelay } from './embeddedRelay.ts';
import type { RelayLink } from './relayLink.ts';
import { toRelayUrl } from './relayTarget.ts';
import type { RelayTarget } from './relayTarget.ts';
import { t } from '../../../protocol/text.ts';

const CALL_TIMEOUT_MS = 30_000;
/** These wait for git, a sandbox or a forge. */
const SLOW_CALL_TIMEOUT_MS = 180_000;
const SLOW_CALLS: ReadonlySet<CallName> = new Set<CallName>([
  'session.delete',
  'session.restore',
  'session.create',
  'import.start',
  'session.sample',
  'repository.inspect',
  'repository.warm',
  'pullRequest.open',
  'pullRequest.look',
  'pullRequest.tend',
  'policy.check',
]);

/**
 * This window's one connection to the relay, whichever it is. Nothing is started before something needs it. The client
 * reconnects and resumes by seq; here is decided to what, and what the rest of the extension is told.
 */
export class RelayConnection implements RelayLink, vscode.Disposable {
  readonly #embedded: EmbeddedRelay;
  readonly #secrets: vscode.SecretStorage;
  readonly #version: string;
  readonly #log: Log;
  readonly #disposables = new DisposableStore();
  readonly #stateChanged = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #targetChanged = this.#disposables.add(new vscode.EventEmitter<void>());
  readonly #sessionChanged = this.#disposables.add(new vscode.EventEmitter<SessionSummary>());
  readonly #sessionRemoved = this.#disposables.add(new vscode.EventEmitter<string>());
  readonly #specChanged = this.#disposables.add(new vscode.EventEmitter<SpecDocument>());
  /** Who follows a session, to be attached to a client that is made later. */
  readonly #followers = new Set<(client: RelayClient) => void>();
  #client: Promise<RelayClient> | undefined;
  /** Counts clients, so that what an old one still says is not taken for the new. */
  #generation = 0;
  #wasConnected = false;
  #state: ConnectionState | undefined;
  #error: SandpiperError | undefined;
  /** When the next attempt is due, by the steady clock. */
  #retryAtMs: number | undefined;
  #endpoint: { url: string; token: string } | undefined;

  readonly onDidChangeState = this.#stateChanged.event;
  /** It may be another relay now: nothing that is known of sessions holds any more. */
  readonly onDidChangeTarget = this.#targetChanged.event;
  readonly onDidChangeSession = this.#sessionChanged.event;
  readonly onDidRemoveSession = this.#sessionRemoved.event;
  readonly onDidChangeSpec = this.#specChanged.event;

  constructor(embedded: EmbeddedRelay, secrets: vscode.SecretStorage, version: string, log: Log) {
    this.#embedded = embedded;
    this.#secrets = secrets;
    this.#version = version;
    this.#log = log;
    this.#disposables.add(onDidChangeSetting(['relay.url', 'relay.dataFolder'], () => this.retarget()));
  }

  /** Undefined while nothing has needed the relay yet. */
  get state(): ConnectionState | undefined {
    return this.#state;
  }

  /** Why there is no connection, for people. */
  get detail(): string | undefined {
    return this.#error && userText(this.#error);
  }

  /** How long until the next attempt to connect, when one is waited for. */
  get retryInMs(): number | undefined {
    return this.#retryAtMs === undefined ? undefined : Math.max(0, this.#retryAtMs - performance.now());
  }

  /** A person does not want to wait for the next attempt. Does not wait for what comes of it. */
  async retryNow(): Promise<void> {
    const client = await this.#connecting();
    client.connect();
  }

  /** Begins to connect when nothing has yet, and tries again at once when it was refused. Returns at once. */
  connect(): void {
    void this.#connecting().catch(() => {});
  }

  /** @throws why the relay cannot be reached, when it refuses or did not come up at the first attempt */
  async whenConnected(): Promise<void> {
    const client = await this.#connecting();
    if (client.state.kind === 'waiting' && !this.#wasConnected) {
      client.connect();
    }
    // Lost a moment ago is good enough: the call itself waits for the new connection, within its own time.
    while (this.#state !== 'connected' && (!this.#wasConnected || this.#state === 'refused')) {
      if (this.#error) {
        throw this.#error;
      }
      await this.#nextState();
    }
  }

  async call<N extends CallName>(name: N, params: ClientParams<N>): Promise<CallResult<N>> {
    await this.whenConnected();
    const client = await this.#connecting();
    return client.call(name, params, {
      timeoutMs: SLOW_CALLS.has(name) ? SLOW_CALL_TIMEOUT_MS : CALL_TIMEOUT_MS,
      changeWithinMs: NOT_REACHED_MS,
    });
  }

  follow(sessionId: string, listener: FollowListener): Disposable {
    let current: Disposable | undefined;
    const attach = (client: RelayClient): void => {
      current = client.follow(sessionId, listener);
    };
    this.#followers.add(attach);
    void this.#client?.then(client => (this.#followers.has(attach) ? attach(client) : undefined)).catch(() => {});
    this.connect();
    return {
      dispose: () => {
        this.#followers.delete(attach);
        current?.dispose();
      },
    };
  }

  /** @throws `invalid_params`, `unauthorized` when the settings name a relay that cannot be meant */
  async target(): Promise<RelayTarget> {
    const url = readSetting('relay.url').trim();
    if (url === '') {
      return { kind: 'embedded', dataFolder: this.#embedded.dataFolder };
    }
    const token = await this.#secrets.get(SECRETS.relayToken);
    if (token === undefined) {
      throw new SandpiperError('unauthorized', t('There is no token for the relay at {0}.', url), {
        hint: t('Use "Sandpiper: Connect to Relay…" to enter it.'),
      });
    }
    return { kind: 'remote', url: toRelayUrl(url), token };
  }

  /** Where the relay was last reached, for its HTTP side. Call it after `whenConnected`. */
  endpoint(): { url: string; token: string } {
    if (!this.#endpoint) {
      throw new SandpiperError('unavailable', t('The relay is not connected.'), { hint: t('Try again.') });
    }
    return this.#endpoint;
  }

  /** Drops the connection and connects to what the settings name now. */
  retarget(): void {
    const wasWanted = this.#state !== undefined;
    this.#drop();
    this.#targetChanged.fire();
    if (wasWanted) {
      this.connect();
    }
  }

  /** Ends the embedded relay and starts it again. Agents go on working: they are not its children. */
  async restart(): Promise<void> {
    if ((await this.target()).kind === 'embedded') {
      await this.#embedded.stop();
    }
    // The client has noticed, or notices with this call, and connects to the new one.
    await this.call('relay.info', {});
  }

  dispose(): void {
    this.#drop();
    this.#disposables.dispose();
  }

  /** The client, made once and then kept. A refused one tries again, because somebody asks. */
  async #connecting(): Promise<RelayClient> {
    if (!this.#client) {
      const generation = ++this.#generation;
      this.#client = this.#createClient(generation);
      this.#client.catch((thrown: unknown) => {
        if (generation === this.#generation) {
          this.#client = undefined;
          this.#setState('refused', toSandpiperError(thrown));
        }
      });
      return this.#client;
    }
    const client = await this.#client;
    if (client.state.kind === 'refused') {
      client.connect();
    }
    return client;
  }

  async #createClient(generation: number): Promise<RelayClient> {
    this.#setState('connecting', undefined);
    const target = await this.target();
    // Loaded late: activation must not pay for it.
    const [{ createRelayClient }, { createWsSocket }] = await Promise.all([
      import('../../../client/relayClient.ts'),
      import('../../../client/wsSocket.ts'),
    ]);
    const client = createRelayClient({
      client: { name: 'vscode', version: this.#version },
      connect: async () => {
        const endpoint = target.kind === 'remote' ? target : await this.#embedded.address();
        this.#endpoint = { url: endpoint.url, token: endpoint.token };
        return createWsSocket(endpoint.url, endpoint.token);
      },
      onState: state => {
        if (generation === this.#generation) {
          this.#onClientState(state, client, target.kind);
        }
      },
    });
    client.onNotification('session.changed', ({ summary }) => this.#sessionChanged.fire(summary));
    client.onNotification('session.removed', ({ sessionId }) => this.#sessionRemoved.fire(sessionId));
    client.onNotification('spec.changed', ({ spec }) => this.#specChanged.fire(spec));
    if (generation === this.#generation) {
      for (const attach of this.#followers) {
        attach(client);
      }
      client.connect();
    }
    return client;
  }

  #nextState(): Promise<void> {
    return new Promise(resolve => {
      const listener = this.#stateChanged.event(() => {
        listener.dispose();
        resolve();
      });
    });
  }

  #onClientState(state: ClientState, client: RelayClient, kind: RelayTarget['kind']): void {
    const shown = showConnection(state, this.#wasConnected);
    if (shown.state !== 'connected' || kind === 'remote') {
      this.#setState(shown.state, shown.error === 'asBefore' ? this.#error : shown.error, client.retryInMs);
      return;
    }
    // The key goes first, so that nothing that waits for the connection finds a relay without one.
    void this.#giveModelKey(client).finally(() => {
      if (client.state === state) {
        this.#setState('connected', undefined);
      }
    });
  }

  /** Only to the relay on this machine: another one has a key of its own. */
  async #giveModelKey(client: RelayClient): Promise<void> {
    try {
      const apiKey = await this.#secrets.get(SECRETS.modelKey);
      if (apiKey !== undefined) {
        await client.call('relay.setModelKey', { apiKey }, { timeoutMs: CALL_TIMEOUT_MS, resend: false });
      }
    } catch (thrown) {
      this.#log.error('relay', 'The relay did not take the API key', thrown);
    }
  }

  #drop(): void {
    this.#generation++;
    const client = this.#client;
    this.#client = undefined;
    this.#endpoint = undefined;
    this.#wasConnected = false;
    this.#error = undefined;
    this.#retryAtMs = undefined;
    this.#state = undefined;
    client?.then(
      made => made.dispose(),
      () => undefined,
    );
  }

  #setState(state: ConnectionState, error: SandpiperError | undefined, retryInMs?: number): void {
    const isSame = state === this.#state && error?.message === this.#error?.message;
    if (isSame && retryInMs === undefined && this.#retryAtMs === undefined) {
      return;
    }
    this.#state = state;
    this.#error = error;
    this.#retryAtMs = retryInMs === undefined ? undefined : performance.now() + retryInMs;
    this.#wasConnected ||= state === 'connected';
    if (!isSame) {
      this.#log.info('relay', error ? `${state}: ${errorText(error)}` : state);
    }
    this.#stateChanged.fire();
  }
}
