import { setTimeout as pause } from 'node:timers/promises';
import { SandpiperError, toSandpiperError } from '../../../../protocol/errors.ts';
import type { Isolation } from '../../../../protocol/events.ts';
import type { Logger } from '../../core/log.ts';
import type { Ownership } from '../../core/ownership.ts';
import { RemoteSandbox } from '../remote/remoteSandbox.ts';
import { Turns } from '../turns.ts';
import type {
  Capabilities,
  CreateSpec,
  ListedSandbox,
  ProbeResult,
  Sandbox,
  SandboxPaths,
  SandboxProvider,
  SandboxRef,
} from '../provider.ts';
import { shellDriver, wakingOnce, type VendorShell } from './shellDriver.ts';
import { toSandboxError, VendorFailure } from './vendorFailure.ts';
import { VendorFiles } from './vendorFiles.ts';
import type { VendorLine } from './vendorLine.ts';

/** What a vendor's SDK does. Everything throws VendorFailures. */
export interface VendorCalls {
  /** Makes one; that a call whose answer was lost made one as well is found by `list`. */
  create(labels: VendorLabels): Promise<string>;
  /** All that carry these labels, also those that sleep; oldest first. */
  list(labels: Partial<VendorLabels>): Promise<{ id: string; labels: Record<string, string> }[]>;
  /** Of one, changing nothing. */
  labelsOf(id: string): Promise<Record<string, string>>;
  /** Fails for one that is still there and will never run anything again. Changes nothing. */
  requireUsable?(id: string): Promise<void>;
  /** Fails where sandboxes cannot be had; default: `list`. */
  probe?(): Promise<void>;
  /** Idempotent. */
  destroy(id: string): Promise<void>;
  shellOf(id: string): VendorShell;
  /** Part of a file. Undefined: no such file. */
  download(id: string, path: string, first: number, bytes: number): Promise<Buffer | undefined>;
}

/** On every sandbox, so that a relay finds what is its own and touches nothing else. */
export interface VendorLabels {
  sandpiperRelay: string;
  sandpiperKey: string;
}

export interface VendorProviderOptions {
  id: string;
  isolation: Isolation;
  /** Below this folder, which the sandbox's user may make, is all that is Sandpiper's. */
  root: string;
  path: string;
  /** Tells the sandboxes of one relay from those of others. */
  relayId: string;
  isId(text: string): boolean;
  calls: VendorCalls;
  line: VendorLine;
  ownership: Ownership;
  log: Logger;
}

const PROBE_TIMEOUT_MS = 5_000;
const PROBE_KEPT_MS = 60_000;
const FAILED_PROBE_KEPT_MS = 5_000;

/** A provider whose sandboxes are a vendor's machines. Nothing of them is kept here: their labels tell all. */
export class VendorProvider implements SandboxProvider {
  readonly id: string;
  readonly #options: VendorProviderOptions;
  readonly #line: VendorLine;
  readonly #paths: SandboxPaths;
  readonly #turns: Turns;
  #probed: { result: Promise<ProbeResult>; until: number } | undefined;

  constructor(options: VendorProviderOptions) {
    const { id, root, relayId, line } = options;
    this.id = id;
    this.#options = options;
    this.#line = line;
    this.#turns = sharedTurns(`${id}:${relayId}`);
    this.#paths = {
      workspace: `${root}/workspace`,
      home: `${root}/home`,
      journal: `${root}/journal`,
      relay: `${root}/relay`,
    };
  }

  /** Asked often; the answer is kept for a while, and a vendor that is slow does not keep anybody waiting. */
  async probe(): Promise<ProbeResult> {
    const now = Date.now();
    if (!this.#probed || now >= this.#probed.until) {
      const result = this.#probe();
      const probed = { result, until: now + PROBE_KEPT_MS };
      this.#probed = probed;
      if (!(await result).available) {
        probed.until = Date.now() + FAILED_PROBE_KEPT_MS;
      }
    }
    return this.#probed.result;
  }

  async #probe(): Promise<ProbeResult> {
    const capabilities: Capabilities = { isolation: this.#options.isolation, hostMounts: false, modelSocket: false };
    const { names } = this.#line;
    const late = new AbortController();
    const answer = this.#ask().then(() => undefined, toProblem);
    const none = pause(PROBE_TIMEOUT_MS, undefined, { signal: late.signal, ref: false }).then(
      () => new VendorFailure('broken', `no answer within ${PROBE_TIMEOUT_MS / 1000} s`),
      () => undefined,
    );
    const problem = await Promise.race([answer, none]);
    late.abort();
    if (!problem) {
      return { available: true, capabilities };
    }
    const { message, hint } = problem instanceof VendorFailure ? toSandboxError(problem, names) : problem;
    return { available: false, capabilities, reason: message, ...(hint === undefined ? {} : { hint }) };
  }

  /** Any question shows that the vendor is there and knows the key. */
  async #ask(): Promise<void> {
    const { calls, relayId } = this.#options;
    await (calls.probe ? calls.probe() : calls.list({ sandpiperRelay: relayId, sandpiperKey: 'probe' }));
  }

  async create(spec: CreateSpec): Promise<Sandbox> {
    return this.#turns.inTurn(spec.key, async () => this.#create(spec.key));
  }

  async attach({ id }: SandboxRef): Promise<Sandbox> {
    if (!(await this.#isOwn(id))) {
      throw new SandpiperError('sandbox_gone', `The sandbox ${id} does not exist.`);
    }
    await this.#line.call(async () => this.#options.calls.requireUsable?.(id));
    return this.#open(id);
  }

  async list(): Promise<ListedSandbox[]> {
    const found = await this.#list({ sandpiperRelay: this.#options.relayId });
    return found.map(({ id, labels }) => ({ provider: this.id, id, key: labels['sandpiperKey'] ?? '' }));
  }

  async destroy({ id }: SandboxRef): Promise<void> {
    await this.#options.ownership.confirm();
    if (await this.#isOwn(id)) {
      await this.#line.call(async () => this.#options.calls.destroy(id));
    }
  }

  async #create(key: string): Promise<Sandbox> {
    const calls = this.#options.calls;
    const labels: VendorLabels = { sandpiperRelay: this.#options.relayId, sandpiperKey: key };
    await this.#options.ownership.confirm();
    let attempts = 0;
    // An answer that was lost left a sandbox behind: so each attempt looks before it makes one.
    const { id, isFirst } = await this.#line.call(async () => {
      attempts++;
      const [first] = await calls.list(labels);
      return first ? { id: first.id, isFirst: false } : { id: await calls.create(labels), isFirst: attempts === 1 };
    });
    const reaped = this.#reap(labels, id);
    if (isFirst) {
      // Only a call of a relay that was killed meanwhile could have made another: nobody waits for that.
      reaped.catch((error: unknown) => {
        const fields = { key, message: toSandpiperError(error).message };
        this.#options.log.log('warn', 'sandbox', 'Whether a session has a second sandbox could not be asked', fields);
      });
    } else {
      await reaped;
    }
    return this.#open(id, Object.values(this.#paths));
  }

  /** What lost answers left behind beside the sandbox of a key. */
  async #reap(labels: VendorLabels, keep: string): Promise<void> {
    for (const { id } of await this.#list(labels)) {
      if (id !== keep) {
        const fields = { id, key: labels.sandpiperKey };
        this.#options.log.log('warn', 'sandbox', 'Removing a second sandbox of one session', fields);
        await this.#line.call(async () => this.#options.calls.destroy(id));
      }
    }
  }

  /** @param folders that it may lack */
  #open(id: string, folders: readonly string[] = []): RemoteSandbox {
    const calls = this.#options.calls;
    const shell = calls.shellOf(id);
    const line = this.#line.toSandbox();
    const wake = wakingOnce(shell);
    return new RemoteSandbox({
      ref: { provider: this.id, id },
      isolation: this.#options.isolation,
      paths: this.#paths,
      hostMounts: false,
      modelSocket: false,
      driver: shellDriver(shell, line, wake, folders),
      path: this.#options.path,
      mark: `${this.id}-${id}`,
      ownership: this.#options.ownership,
      turns: this.#turns,
      shortcut: files =>
        new VendorFiles(files, this.#paths.journal, async (path, first, bytes) =>
          line.call(async () => calls.download(id, path, first, bytes), { wake }),
        ),
    });
  }

  /** An account may have sandboxes of other relays, and of other programs. */
  async #isOwn(id: string): Promise<boolean> {
    if (!this.#options.isId(id)) {
      return false;
    }
    try {
      const labels = await this.#line.call(async () => this.#options.calls.labelsOf(id));
      return labels['sandpiperRelay'] === this.#options.relayId;
    } catch (error) {
      if (error instanceof SandpiperError && error.code === 'sandbox_gone') {
        return false;
      }
      throw error;
    }
  }

  async #list(labels: Partial<VendorLabels>): Promise<{ id: string; labels: Record<string, string> }[]> {
    return this.#line.call(async () => this.#options.calls.list(labels));
  }
}

/** Of everything in this process that works for one relay: nothing else keeps two creations of one key apart. */
const allTurns = new Map<string, Turns>();

function sharedTurns(name: string): Turns {
  const turns = allTurns.get(name) ?? new Turns();
  allTurns.set(name, turns);
  return turns;
}

function toProblem(thrown: unknown): VendorFailure | SandpiperError {
  return thrown instanceof VendorFailure ? thrown : toSandpiperError(thrown);
}
