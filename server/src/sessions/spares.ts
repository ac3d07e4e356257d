import { randomUUID } from 'node:crypto';
import { toError } from '../../../protocol/errors.ts';
import type { RepositoryRef } from '../../../protocol/events.ts';
import { haltSignal, HaltSwitch } from '../core/halting.ts';
import type { CreateSpec, Sandbox, SandboxRef } from '../sandboxes/provider.ts';
import { stoppedEarly } from './failure.ts';
import type { Dependencies } from './dependencies.ts';
import { cloneInto, mountsOf } from './workspace.ts';

/** Begins the key of a sandbox that no session has. */
const KEY = 'spare-';
/** The session that made the repository known has its agent to start first. */
const QUIET_MS = 5_000;
/** A clone that nobody wants for so long is only in the way. */
const UNUSED_MS = 60 * 60_000;

type Parts = Pick<Dependencies, 'providers' | 'mirrors' | 'agents' | 'findAgent' | 'log'>;

/** What the next session will probably start from. */
export interface SpareWish {
  provider: string;
  repository: RepositoryRef;
  agent: string;
  commit: string;
}

interface Spare extends SpareWish {
  ref: SandboxRef;
}

export function isSpareKey(key: string): boolean {
  return key.startsWith(KEY);
}

/**
 * Sandboxes with a clone in them that wait for a session, one a repository: the files are most of what a start takes. They
 * are known to this process alone; what an earlier one left is removed.
 */
export class Spares {
  readonly #parts: Parts;
  readonly #count: number;
  readonly #halt = new HaltSwitch();
  readonly #timers = new Set<NodeJS.Timeout>();
  #spares: Spare[] = [];
  #wishes: SpareWish[] = [];
  #making: Promise<void> | undefined;
  /** What is being made at this moment. */
  #nearly: { wish: SpareWish; made: Promise<void> } | undefined;
  #closed = false;

  /** @param count how many there may be; 0: none */
  constructor(parts: Parts, count: number) {
    this.#parts = parts;
    this.#count = count;
  }

  /**
   * One that fits becomes the sandbox of a session; its clone may stand at another commit. One that is being made is waited
   * for: it is further than a second one that begins beside it. Undefined when none fits.
   */
  async take(wish: Omit<SpareWish, 'commit'>, spec: CreateSpec): Promise<Sandbox | undefined> {
    if (this.#nearly && isSamePlace(this.#nearly.wish, wish) && !this.#has(wish)) {
      await unlessHalted(this.#nearly.made);
    }
    const spare = this.#spares.find(candidate => isSamePlace(candidate, wish));
    const provider = this.#parts.providers.get(wish.provider);
    if (!spare || !provider?.adopt) {
      return undefined;
    }
    this.#spares = this.#spares.filter(each => each !== spare);
    try {
      return await provider.adopt(spare.ref, spec);
    } catch (error) {
      this.#warn('A sandbox that was kept ready could not be used', error);
      this.#remove([spare]);
      return undefined;
    }
  }

  /** Makes one in the background, a while from now; the latest wish for a repository counts. */
  wish(wish: SpareWish, afterMs: number = QUIET_MS): void {
    if (this.#count === 0 || this.#closed || !this.#parts.providers.get(wish.provider)?.adopt) {
      return;
    }
    this.#wishes = [...this.#wishes.filter(other => !isSamePlace(other, wish)), wish].slice(-this.#count);
    this.#later(afterMs, () => {
      this.#making ??= this.#grant().finally(() => (this.#making = undefined));
    });
  }

  /** Removes what an earlier relay kept ready. */
  async removeLeft(): Promise<void> {
    for (const provider of this.#parts.providers.values()) {
      const listed = provider.adopt ? await provider.list() : [];
      for (const { id, key } of listed) {
        if (isSpareKey(key) && !this.#spares.some(({ ref }) => ref.id === id) && !this.#closed) {
          await provider.destroy({ provider: provider.id, id });
        }
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timers.forEach(timer => clearTimeout(timer));
    this.#halt.halt(stoppedEarly());
    await this.#making;
  }

  async #grant(): Promise<void> {
    for (let wish = this.#wishes.shift(); wish && !this.#closed; wish = this.#wishes.shift()) {
      const wanted = wish;
      if (this.#has(wanted)) {
        continue;
      }
      this.#nearly = { wish: wanted, made: this.#add(wanted) };
      await this.#nearly.made;
      this.#nearly = undefined;
    }
  }

  async #add(wish: SpareWish): Promise<void> {
    try {
      const spare = await this.#halt.run(() => this.#make(wish));
      const spares = [...this.#spares, spare];
      this.#spares = spares.slice(-this.#count);
      this.#remove(spares.slice(0, -this.#count));
      this.#later(UNUSED_MS, () => this.#expire(spare));
    } catch (error) {
      this.#warn('No sandbox could be kept ready', error);
    }
  }

  #has(wish: Omit<SpareWish, 'commit'>): boolean {
    return this.#spares.some(spare => isSamePlace(spare, wish));
  }

  async #make(wish: SpareWish): Promise<Spare> {
    const { providers, mirrors, findAgent } = this.#parts;
    const provider = providers.get(wish.provider);
    const mirror = mirrors.open(wish.repository.id);
    if (!provider || !mirror) {
      throw new Error('Its repository is not known any more.');
    }
    const found = await findAgent(wish.agent);
    const mounts = await mountsOf(found, mirror);
    const sandbox = await provider.create({ key: `${KEY}${randomUUID()}`, acceptNoIsolation: false, mounts });
    try {
      const place = { repository: wish.repository, agent: { id: wish.agent } };
      await cloneInto(this.#parts, sandbox, place, { commit: wish.commit, parcel: undefined, found });
    } catch (error) {
      await provider.destroy(sandbox.ref);
      throw error;
    }
    return { ...wish, ref: sandbox.ref };
  }

  #expire(spare: Spare): void {
    if (this.#spares.includes(spare)) {
      this.#spares = this.#spares.filter(each => each !== spare);
      this.#remove([spare]);
    }
  }

  #remove(spares: readonly Spare[]): void {
    for (const { provider, ref } of spares) {
      this.#parts.providers
        .get(provider)
        ?.destroy(ref)
        .catch((error: unknown) => this.#warn('A sandbox that was kept ready could not be removed', error));
    }
  }

  #later(afterMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, afterMs).unref();
    this.#timers.add(timer);
  }

  #warn(what: string, error: unknown): void {
    if (!this.#closed) {
      this.#parts.log.log('warn', 'sandbox', what, { error: toError(error).message });
    }
  }
}

/** @throws the reason when the person stops the start that waits; what is waited for goes on */
async function unlessHalted(made: Promise<void>): Promise<void> {
  const signal = haltSignal();
  if (!signal) {
    return made;
  }
  let stop = (): void => {};
  const halted = new Promise<never>((_, reject) => {
    stop = () => reject(toError(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
  });
  signal.throwIfAborted();
  try {
    await Promise.race([made, halted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function isSamePlace(one: Omit<SpareWish, 'commit'>, other: Omit<SpareWish, 'commit'>): boolean {
  return (
    one.provider === other.provider &&
    one.agent === other.agent &&
    one.repository.id === other.repository.id &&
    one.repository.branch === other.repository.branch
  );
}
