import { createHash } from 'node:crypto';
import { calls, type CallName, type CallResult, type CheckedParams } from '../../../protocol/calls.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { CallRecord, Store } from '../store/store.ts';

/** Calls with an idempotency key. */
export type MutatingCall = { [N in CallName]: CheckedParams<N> extends { key: string } ? N : never }[CallName];

/** Makes the record of a call once its result is known. */
export type RecordOf = (result: unknown) => CallRecord;

/** Refuses a call before its effect, by throwing. */
export type Admit = (method: MutatingCall, params: object) => Promise<void>;

/**
 * The same key twice is one effect and the same answer (I3): an answered call is answered from its record, one that is
 * still under way is waited for, and a key that came with other parameters is refused.
 */
export class Idempotency {
  readonly #store: Store;
  readonly #admit: Admit;
  readonly #open = new Map<string, { hash: string; answer: Promise<unknown> }>();

  constructor(store: Store, admit: Admit = () => Promise.resolve()) {
    this.#store = store;
    this.#admit = admit;
  }

  /** @param effect must write the record that it is given in the same transaction as its effect */
  async once<N extends MutatingCall>(
    method: N,
    params: CheckedParams<N>,
    effect: (record: RecordOf) => Promise<CallResult<N>>,
  ): Promise<CallResult<N>> {
    const hash = hashOf(method, params);
    const open = this.#open.get(params.key);
    if (open) {
      refuseOther(open.hash, hash);
      return checked(method, await open.answer);
    }
    const answer = this.#answer(method, params.key, hash, async record => {
      await this.#admit(method, params);
      return effect(record);
    });
    this.#open.set(params.key, { hash, answer });
    try {
      return checked(method, await answer);
    } finally {
      this.#open.delete(params.key);
    }
  }

  async #answer<Result>(
    method: string,
    key: string,
    hash: string,
    effect: (record: RecordOf) => Promise<Result>,
  ): Promise<unknown> {
    const known = await this.#store.findCall(key);
    if (known) {
      return answerOf(known, hash);
    }
    try {
      return await effect(result => ({ key, method, paramsHash: hash, result: JSON.stringify(result) }));
    } catch (error) {
      // A deletion that was cut off goes on by itself at the start of a relay, and may be answered just before its repeat is.
      const since = await this.#store.findCall(key).catch(() => undefined);
      if (since) {
        return answerOf(since, hash);
      }
      throw error;
    }
  }
}

function checked<N extends MutatingCall>(method: N, result: unknown): CallResult<N> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by the schema of this very name
  return calls[method].result.parse(result) as CallResult<N>;
}

function answerOf({ paramsHash, result }: CallRecord, hash: string): unknown {
  refuseOther(paramsHash, hash);
  return JSON.parse(result);
}

function refuseOther(known: string, hash: string): void {
  if (known !== hash) {
    throw new SandpiperError('key_reused', 'This idempotency key was used for another call.', {
      hint: 'Make a new key for every call.',
    });
  }
}

/** Hash of the parameters without regard to the order of keys. A token is left out: it may be another on a repeat. */
function hashOf(method: string, params: object): string {
  const canonical = JSON.stringify([method, params], (name: string, value: unknown) => {
    if (name === 'token') {
      return undefined;
    }
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value;
  });
  return createHash('sha256').update(canonical).digest('hex');
}
