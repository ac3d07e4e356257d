import type { Sandbox as SdkSandbox } from 'e2b';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { rangeBody } from '../vendors/rangeBody.ts';
import { e2bFailure } from './e2bFailure.ts';
import type { E2bSdk } from './e2bSdk.ts';

export interface E2bSettings {
  apiKey: string;
  /** Of another installation of E2B; default: the vendor's. */
  apiUrl: string | undefined;
  sandboxUrl: string | undefined;
  template: string;
  /** Hosts that a sandbox may reach; `all`: every host. */
  reach: readonly string[] | 'all';
}

/**
 * A sandbox without a sign of the relay is paused after this long, its programs with it; the next call wakes both. No plan
 * of the vendor allows less than an hour in one piece.
 */
const LIFE_MS = 40 * 60_000;
const EXTEND_AFTER_MS = 5 * 60_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** The calls of E2B that are used, with its errors as VendorFailures. The SDK is loaded when it is first needed. */
export class E2bClient {
  readonly #settings: E2bSettings;
  readonly #connected = new Map<string, SdkSandbox>();
  readonly #extendedAt = new Map<string, number>();
  #sdk: Promise<E2bSdk> | undefined;

  constructor(settings: E2bSettings) {
    this.#settings = settings;
  }

  /** @throws `sandbox_unavailable` where the package is not installed */
  async load(): Promise<E2bSdk> {
    this.#sdk ??= import('./e2bSdk.ts').then(({ sdk }) => sdk);
    try {
      return await this.#sdk;
    } catch (error) {
      this.#sdk = undefined;
      throw new SandpiperError('sandbox_unavailable', 'The package e2b, which reaches E2B, is not installed.', {
        hint: 'Install Sandpiper with its optional packages.',
        cause: error,
      });
    }
  }

  /** With no more than `labels` to find it by. */
  async create(labels: Record<string, string>): Promise<string> {
    const { template, reach } = this.#settings;
    return this.#call(async sdk => {
      const sandbox = await sdk.Sandbox.create(template, {
        ...this.#options(),
        // The SDK would send it again after a rate limit only, which is safe.
        metadata: labels,
        timeoutMs: LIFE_MS,
        lifecycle: { onTimeout: 'pause' },
        ...(reach === 'all' ? {} : { network: { allowOut: [...reach], denyOut: ['0.0.0.0/0'] } }),
      });
      this.#connected.set(sandbox.sandboxId, sandbox);
      this.#extendedAt.set(sandbox.sandboxId, Date.now());
      return sandbox.sandboxId;
    });
  }

  /** All with these labels, oldest first. */
  async list(
    labels: Record<string, string>,
  ): Promise<{ id: string; labels: Record<string, string>; startedAt: number }[]> {
    return this.#call(async sdk => {
      const pages = sdk.Sandbox.list({ ...this.#options(), query: { metadata: labels, state: ['running', 'paused'] } });
      const found = [];
      while (pages.hasNext) {
        found.push(...(await pages.nextItems()));
      }
      return found
        .map(({ sandboxId, metadata, startedAt }) => ({
          id: sandboxId,
          labels: metadata,
          startedAt: startedAt.getTime(),
        }))
        .sort((one, other) => one.startedAt - other.startedAt || (one.id < other.id ? -1 : 1));
    });
  }

  /** Changes nothing of it. */
  async labelsOf(id: string): Promise<Record<string, string>> {
    return this.#call(async sdk => (await sdk.Sandbox.getInfo(id, this.#options())).metadata);
  }

  /** Idempotent. */
  async kill(id: string): Promise<void> {
    this.#connected.delete(id);
    this.#extendedAt.delete(id);
    await this.#call(async sdk => sdk.Sandbox.kill(id, this.#options()));
  }

  /** Of a sandbox that is awake, and wakes one that is paused. */
  async wake(id: string): Promise<void> {
    this.#connected.delete(id);
    await this.#call(async () => this.#sandbox(id));
  }

  async shell(id: string, command: string, home: string, signal: AbortSignal): Promise<string> {
    return this.#call(async sdk => {
      const sandbox = await this.#sandbox(id);
      // A login shell would read what the agent left in its home.
      const options = { envs: { HOME: home }, stdin: false, timeoutMs: 0, requestTimeoutMs: REQUEST_TIMEOUT_MS };
      const handle = await sandbox.commands.run(command, { ...options, background: true });
      const leave = (): void => void handle.disconnect();
      signal.addEventListener('abort', leave, { once: true });
      try {
        return (await handle.wait()).stdout;
      } catch (error) {
        if (error instanceof sdk.CommandExitError) {
          return error.stdout;
        }
        throw error;
      } finally {
        signal.removeEventListener('abort', leave);
        this.#extend(sdk, id);
      }
    });
  }

  async upload(id: string, path: string, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#call(async () => {
      const sandbox = await this.#sandbox(id);
      signal.throwIfAborted();
      // A copy: the SDK takes the whole buffer that a part lies in.
      await sandbox.files.write(path, new Uint8Array(data).buffer);
    });
  }

  /** Part of a file, by the vendor's file server. Undefined: no such file. */
  async download(id: string, path: string, first: number, bytes: number): Promise<Buffer | undefined> {
    return this.#call(async () => {
      const sandbox = await this.#sandbox(id);
      const url = await sandbox.downloadUrl(path);
      const response = await fetch(url, {
        headers: {
          // Where one address serves all sandboxes these say which one is meant.
          'E2b-Sandbox-Id': id,
          'E2b-Sandbox-Port': '49983',
          range: `bytes=${first}-${first + bytes - 1}`,
        },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      // A sandbox that is not there is status 502.
      return rangeBody(response, first, bytes, status => status === 404 || status === 400);
    });
  }

  async #sandbox(id: string): Promise<SdkSandbox> {
    const known = this.#connected.get(id);
    if (known) {
      return known;
    }
    const sdk = await this.load();
    const sandbox = await sdk.Sandbox.connect(id, { ...this.#options(), timeoutMs: LIFE_MS });
    this.#connected.set(id, sandbox);
    this.#extendedAt.set(id, Date.now());
    return sandbox;
  }

  /** Lets a sandbox that is used live on. Failing is no harm: the next use does it again. */
  #extend(sdk: E2bSdk, id: string): void {
    const now = Date.now();
    if (now - (this.#extendedAt.get(id) ?? 0) > EXTEND_AFTER_MS) {
      this.#extendedAt.set(id, now);
      sdk.Sandbox.setTimeout(id, LIFE_MS, this.#options()).catch(() => this.#extendedAt.delete(id));
    }
  }

  #options(): {
    apiKey: string;
    apiUrl?: string;
    sandboxUrl?: string;
    debug: boolean;
    requestTimeoutMs: number;
  } {
    const { apiKey, apiUrl, sandboxUrl } = this.#settings;
    return {
      apiKey,
      ...(apiUrl === undefined ? {} : { apiUrl }),
      ...(sandboxUrl === undefined ? {} : { sandboxUrl }),
      // Whatever the relay's environment says.
      debug: false,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    };
  }

  async #call<T>(action: (sdk: E2bSdk) => Promise<T>): Promise<T> {
    const sdk = await this.load();
    try {
      return await action(sdk);
    } catch (error) {
      throw e2bFailure(sdk, error);
    }
  }
}
