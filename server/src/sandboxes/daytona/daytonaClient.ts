import type { Daytona, Sandbox as SdkSandbox } from '@daytonaio/sdk';
import { SandpiperError } from '../../../../protocol/errors.ts';
import { fieldIn } from '../vendors/fieldIn.ts';
import { rangeBody } from '../vendors/rangeBody.ts';
import { VendorFailure } from '../vendors/vendorFailure.ts';
import { daytonaFailure, kindOf, type DaytonaSdk } from './daytonaFailure.ts';

export interface DaytonaSettings {
  apiKey: string;
  apiUrl: string;
  /** The region. */
  target: string;
  /** Default: the one that the account has chosen. */
  snapshot: string | undefined;
  /** Hosts that a sandbox may reach; `all`: every host. */
  reach: readonly string[] | 'all';
}

const START_SECONDS = 120;
const COMMAND_SECONDS = 90;
const UPLOAD_TIMEOUT_MS = 120_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** The calls of Daytona that are used, with its errors as VendorFailures. The SDK is loaded when it is first needed. */
export class DaytonaClient {
  readonly #settings: DaytonaSettings;
  readonly #known = new Map<string, SdkSandbox>();
  #client: Promise<{ sdk: DaytonaSdk; daytona: Daytona }> | undefined;

  constructor(settings: DaytonaSettings) {
    this.#settings = settings;
  }

  /** Lets go of what the SDK holds; it is made again when it is needed. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.daytona[Symbol.asyncDispose]();
  }

  /** The name is unique at Daytona: a second one of the same is refused. */
  async create(name: string, labels: Record<string, string>): Promise<string> {
    const { snapshot, reach } = this.#settings;
    return this.#call(async ({ sdk, daytona }) => {
      try {
        const sandbox = await daytona.create(
          {
            name,
            labels,
            ...(snapshot === undefined ? {} : { snapshot }),
            // What only computes or waits for a model is idle to Daytona, and would be stopped.
            autoStopInterval: 0,
            ...(reach === 'all' ? {} : { domainAllowList: reach.join(',') }),
          },
          { timeout: START_SECONDS },
        );
        this.#known.set(sandbox.id, sandbox);
        return sandbox.id;
      } catch (error) {
        if (error instanceof sdk.DaytonaNotFoundError || error instanceof sdk.DaytonaBadRequestError) {
          throw new VendorFailure('impossible', error.message, { cause: error });
        }
        if (!(error instanceof sdk.DaytonaConflictError)) {
          throw error;
        }
        return this.#takeOver(daytona, name);
      }
    });
  }

  /** All with these labels, oldest first. */
  async list(labels: Record<string, string>): Promise<{ id: string; labels: Record<string, string> }[]> {
    return this.#call(async ({ daytona }) => {
      const found: { id: string; labels: Record<string, string>; createdAt: string }[] = [];
      for await (const sandbox of daytona.list({ labels })) {
        if (sandbox.state !== 'destroyed' && sandbox.state !== 'destroying') {
          found.push({ id: sandbox.id, labels: sandbox.labels, createdAt: sandbox.createdAt ?? '' });
        }
      }
      return found.sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
    });
  }

  /** Changes nothing of it; a stopped one stays stopped. */
  async labelsOf(id: string): Promise<Record<string, string>> {
    return this.#call(async ({ daytona }) => (await daytona.get(id)).labels);
  }

  /** Idempotent; returns when it is gone. */
  async destroy(id: string): Promise<void> {
    this.#known.delete(id);
    await this.#call(async ({ sdk, daytona }) => {
      try {
        await (await daytona.get(id)).delete(START_SECONDS, true);
      } catch (error) {
        if (!(error instanceof sdk.DaytonaNotFoundError)) {
          throw error;
        }
      }
    });
  }

  /** Starts one that was stopped or archived: its files are there, what ran in it is not. */
  async wake(id: string): Promise<void> {
    await this.#call(async ({ daytona }) => {
      const sandbox = await daytona.get(id);
      if (sandbox.state === 'stopping') {
        await sandbox.waitUntilStopped(START_SECONDS);
      }
      if (sandbox.state === 'stopped' || sandbox.state === 'archived' || sandbox.state === 'paused') {
        await sandbox.start(START_SECONDS);
      } else {
        await sandbox.waitUntilStarted(START_SECONDS);
      }
      this.#known.set(id, sandbox);
    });
  }

  async shell(id: string, command: string): Promise<string> {
    return this.#call(async ({ daytona }) => {
      const sandbox = await this.#sandbox(daytona, id);
      return (await sandbox.process.executeCommand(command, undefined, undefined, COMMAND_SECONDS)).result;
    });
  }

  /** Without the SDK, which loads a package for it that is not in the installed program. */
  async upload(id: string, path: string, data: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#call(async ({ daytona }) => {
      const form = new FormData();
      form.append('files[0].path', path);
      form.append('files[0].file', new Blob([new Uint8Array(data)]), 'file');
      const response = await fetch(`${await this.#toolbox(daytona, id)}/files/bulk-upload`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#settings.apiKey}` },
        body: form,
        signal: AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]),
      });
      const said = (await response.text()).slice(0, 300);
      if (!response.ok) {
        throw new VendorFailure(kindOf(response.status), `status ${response.status}: ${said}`);
      }
    });
  }

  /** Part of a file; the vendor's daemon serves ranges without saying so anywhere. Undefined: no such file. */
  async download(id: string, path: string, first: number, bytes: number): Promise<Buffer | undefined> {
    return this.#call(async ({ daytona }) => {
      const toolbox = await this.#toolbox(daytona, id);
      const response = await fetch(`${toolbox}/files/download?path=${encodeURIComponent(path)}`, {
        headers: { authorization: `Bearer ${this.#settings.apiKey}`, range: `bytes=${first}-${first + bytes - 1}` },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      // The daemon of the sandbox answers itself only when the sandbox runs.
      return rangeBody(response, first, bytes, (_, body) => fieldIn(body, 'source') === 'DAYTONA_DAEMON');
    });
  }

  /** Of a name that is taken: what an earlier attempt made, unless it did not come to life. */
  async #takeOver(daytona: Daytona, name: string): Promise<string> {
    const sandbox = await daytona.get(name);
    if (sandbox.state === 'error' || sandbox.state === 'build_failed') {
      await sandbox.delete(START_SECONDS, true);
      throw new VendorFailure('busy', `it could not start: ${sandbox.errorReason ?? 'no reason is given'}`);
    }
    return sandbox.id;
  }

  async #toolbox(daytona: Daytona, id: string): Promise<string> {
    const { toolboxProxyUrl } = await this.#sandbox(daytona, id);
    return `${toolboxProxyUrl.replace(/\/$/, '')}/${id}`;
  }

  async #sandbox(daytona: Daytona, id: string): Promise<SdkSandbox> {
    const sandbox = this.#known.get(id) ?? (await daytona.get(id));
    this.#known.set(id, sandbox);
    return sandbox;
  }

  /** @throws `sandbox_unavailable` where the package is not installed */
  async #open(): Promise<{ sdk: DaytonaSdk; daytona: Daytona }> {
    const { apiKey, apiUrl, target } = this.#settings;
    const sdk = await import('@daytonaio/sdk').catch((error: unknown) => {
      throw new SandpiperError(
        'sandbox_unavailable',
        'The package @daytonaio/sdk, which reaches Daytona, is not installed.',
        {
          hint: 'Install Sandpiper with its optional packages.',
          cause: error,
        },
      );
    });
    // All three are named: what is not, the SDK reads from a file `.env` in whatever folder the relay runs in. Its events
    // need a connection that lasts; asking serves as well.
    return { sdk, daytona: new sdk.Daytona({ apiKey, apiUrl, target, useDeprecatedPolling: true }) };
  }

  async #call<T>(action: (client: { sdk: DaytonaSdk; daytona: Daytona }) => Promise<T>): Promise<T> {
    this.#client ??= this.#open();
    const client = await this.#client.catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    try {
      return await action(client);
    } catch (error) {
      throw daytonaFailure(client.sdk, error);
    }
  }
}
