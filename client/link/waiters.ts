import type { SandpiperError } from '../../protocol/errors.ts';
import type { RpcPeer } from '../../protocol/rpc.ts';

interface Waiter {
  resolve(peer: RpcPeer): void;
  reject(error: SandpiperError): void;
  timer: ReturnType<typeof setTimeout>;
}

/** Who waits for a connection, each for a time of its own. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  wait(timeoutMs: number, tooLate: () => SandpiperError): Promise<RpcPeer> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve,
        reject,
        timer: setTimeout(
          () => {
            this.#waiting.delete(waiter);
            reject(tooLate());
          },
          Math.max(1, timeoutMs),
        ),
      };
      this.#waiting.add(waiter);
    });
  }

  resolve(peer: RpcPeer): void {
    for (const waiter of this.#take()) {
      waiter.resolve(peer);
    }
  }

  reject(error: SandpiperError): void {
    for (const waiter of this.#take()) {
      waiter.reject(error);
    }
  }

  #take(): Waiter[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    waiting.forEach(({ timer }) => clearTimeout(timer));
    return waiting;
  }
}
