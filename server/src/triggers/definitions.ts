import { z } from 'zod';
import type { Store } from '../store/store.ts';

interface Named {
  name: string;
}

/** What is known by a name of the operator's: few, kept as one setting of the relay, and in memory. */
export class Definitions<Definition extends Named> {
  readonly #store: Pick<Store, 'readSetting' | 'writeSetting'>;
  readonly #setting: string;
  #all: readonly Definition[];
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(store: Pick<Store, 'readSetting' | 'writeSetting'>, setting: string, all: readonly Definition[]) {
    this.#store = store;
    this.#setting = setting;
    this.#all = all;
  }

  static async open<Definition extends Named>(
    store: Pick<Store, 'readSetting' | 'writeSetting'>,
    setting: string,
    schema: z.ZodType<Definition>,
  ): Promise<Definitions<Definition>> {
    const text = await store.readSetting(setting);
    return new Definitions(store, setting, text === undefined ? [] : z.array(schema).parse(JSON.parse(text)));
  }

  list(): readonly Definition[] {
    return this.#all;
  }

  find(name: string): Definition | undefined {
    return this.#all.find(one => one.name === name);
  }

  /** Replaces the one of the same name. */
  put(definition: Definition): Promise<void> {
    return this.#change(others => [...others, definition], definition.name);
  }

  remove(name: string): Promise<void> {
    return this.#change(others => others, name);
  }

  #change(decide: (others: Definition[]) => Definition[], name: string): Promise<void> {
    const work = async () => {
      const next = decide(this.#all.filter(one => one.name !== name));
      await this.#store.writeSetting(this.#setting, JSON.stringify(next));
      this.#all = next;
    };
    const working = this.#changing.then(work, work);
    this.#changing = working.catch(() => {});
    return working;
  }
}
