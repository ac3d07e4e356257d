import { calls, isCallName } from '../../protocol/calls.ts';
import { SandpiperError } from '../../protocol/errors.ts';

/** How long a call that is under way may hold the end up. All of them may be repeated with the same key. */
const PATIENCE_MS = 10_000;

/** Lets a relay end without breaking off a change: those that are under way finish, later ones are refused. */
export class Drain {
  /** Resolves when nothing is being changed any more. */
  readonly drained: Promise<void>;
  #drained: () => void = () => {};
  #begun = false;
  #underWay = 0;

  constructor() {
    this.drained = new Promise(resolve => (this.#drained = resolve));
  }

  begin(): void {
    if (!this.#begun) {
      this.#begun = true;
      setTimeout(this.#drained, PATIENCE_MS).unref();
      this.#settle();
    }
  }

  /** The same handlers, whose changing calls are counted and refused. */
  guard<Handlers extends object>(handlers: Handlers): Handlers {
    return new Proxy(handlers, {
      get: (target, name): unknown => {
        const handler: unknown = Reflect.get(target, name);
        return typeof name === 'string' && isCallName(name) && calls[name].mutates && typeof handler === 'function'
          ? (...args: unknown[]) => this.#run(() => Reflect.apply(handler, target, args))
          : handler;
      },
    });
  }

  async #run(call: () => unknown): Promise<unknown> {
    if (this.#begun) {
      throw new SandpiperError('unavailable', 'This relay hands its sessions over to another one.', {
        hint: 'Try again in a moment.',
        details: { handingOver: true },
      });
    }
    this.#underWay++;
    try {
      return await call();
    } finally {
      this.#underWay--;
      this.#settle();
    }
  }

  #settle(): void {
    if (this.#begun && this.#underWay === 0) {
      // The answers go out first.
      setImmediate(this.#drained);
    }
  }
}
