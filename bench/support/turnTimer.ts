import { preciseNow } from '../../test/support/modelReply.ts';

/** Times one turn at a time, from before it is sent until its end is heard of. */
export class TurnTimer {
  #ended: PromiseWithResolvers<number> | undefined;

  /** @param send hands the prompt over */
  async time(send: () => Promise<void> | void): Promise<{ startedAt: number; ms: number }> {
    const ended = Promise.withResolvers<number>();
    this.#ended = ended;
    const startedAt = preciseNow();
    await send();
    return { startedAt, ms: (await ended.promise) - startedAt };
  }

  /** @param at when the end was heard of */
  end(at: number): void {
    this.#ended?.resolve(at);
  }

  fail(error: Error): void {
    this.#ended?.reject(error);
  }
}
